/** The queue as this browser knows it, put together from events and from polls. */

import { IJob, IJobEvent, IJobs, JobState } from './types';

export interface IQueue {
  jobs: ReadonlyMap<number, IJob>;
  cursor: number;
  known: boolean;
}

export const UNKNOWN: IQueue = { jobs: new Map(), cursor: 0, known: false };

const ENDED: JobState[] = ['done', 'failed', 'cancelled', 'lost'];

export function ended(state: JobState): boolean {
  return ENDED.includes(state);
}

/** With a server's answer: to a first question, or to one with `since`. */
export function merge(queue: IQueue, answer: IJobs, since: boolean): IQueue {
  const jobs = new Map(since ? queue.jobs : []);
  for (const job of answer.jobs) {
    const before = jobs.get(job.id);
    if (!before || job.changed >= before.changed) {
      jobs.set(job.id, job);
    }
  }
  const cursor = since ? Math.max(queue.cursor, answer.cursor) : answer.cursor;
  return { jobs, cursor, known: true };
}

/**
 * With an event. An event may come late or twice: one older than what is known changes nothing.
 *
 * @returns the queue, and whether the server must be asked for the rest: a job that is new here or has ended.
 */
export function apply(
  queue: IQueue,
  event: IJobEvent
): { queue: IQueue; ask: boolean } {
  const before = queue.jobs.get(event.id);
  if (!before) {
    return { queue, ask: true };
  }
  if (event.cursor <= before.changed) {
    return { queue, ask: false };
  }
  const jobs = new Map(queue.jobs);
  jobs.set(event.id, {
    ...before,
    state: event.state,
    reason: event.reason,
    run: event.run,
    seconds: event.seconds,
    position: event.position,
    cancelling: event.cancelling,
    progress: event.progress,
    changed: event.cursor
  });
  return {
    queue: { ...queue, jobs },
    ask: event.state !== before.state
  };
}

/**
 * The places of those that wait, counted anew: when one starts or is cancelled the others move up, and the server says
 * nothing of them.
 */
export function placed(queue: IQueue): IQueue {
  const jobs = new Map(queue.jobs);
  const seen: { [device: string]: number } = {};
  for (const job of [...jobs.values()].sort((a, b) => a.id - b.id)) {
    const waits = job.state === 'queued';
    const position = waits ? (seen[job.device] ?? 0) + 1 : null;
    if (position !== null) {
      seen[job.device] = position;
    }
    if (position !== job.position) {
      jobs.set(job.id, { ...job, position });
    }
  }
  return { ...queue, jobs };
}

/** Whether jobs that are known here are no longer in the server's table: a run was purged elsewhere. */
export function purged(queue: IQueue, answer: IJobs): boolean {
  const there = Object.values(answer.counts).reduce((sum, n) => sum + n, 0);
  return queue.jobs.size > there;
}

/** Running first, then waiting in their order, then the latest that ended. */
export function order(queue: IQueue): IJob[] {
  const rank = (job: IJob) =>
    job.state === 'running' ? 0 : job.state === 'queued' ? 1 : 2;
  return [...queue.jobs.values()].sort(
    (a, b) =>
      rank(a) - rank(b) ||
      (rank(a) === 1
        ? (a.position ?? 0) - (b.position ?? 0) || a.id - b.id
        : b.id - a.id)
  );
}

export function active(queue: IQueue): IJob[] {
  return order(queue).filter(job => !ended(job.state));
}

/** Jobs that were active before and have ended now: what a person is told of. */
export function finished(before: IQueue, now: IQueue): IJob[] {
  return [...now.jobs.values()].filter(job => {
    const last = before.jobs.get(job.id);
    return last !== undefined && !ended(last.state) && ended(job.state);
  });
}

/** Seconds until a run ends, as far as its own pace or earlier runs tell. */
export function remaining(job: IJob, seconds: number | null): number | null {
  if (job.state !== 'running' || seconds === null) {
    return null;
  }
  const fraction = job.progress.fraction;
  if (job.expected_seconds) {
    const left = job.expected_seconds - seconds;
    if (left > 0) {
      return left;
    }
  }
  return fraction && fraction > 0.2 ? (seconds / fraction) * (1 - fraction) : null;
}

/** A log that grows: what is shown after another part arrived. Keeps the end. */
export function grown(shown: string, part: string, most = 200_000): string {
  const text = shown + part;
  if (text.length <= most) {
    return text;
  }
  const cut = text.slice(-most);
  const at = cut.indexOf('\n');
  return at < 0 ? cut : cut.slice(at + 1);
}
