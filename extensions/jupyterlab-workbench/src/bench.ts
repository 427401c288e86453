/** What all views share: the server, the queue, the list of studies, words and settings. */

import { Notification } from '@jupyterlab/apputils';
import { ServiceManager } from '@jupyterlab/services';
import { IStateDB } from '@jupyterlab/statedb';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Poll } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';
import { Api } from './api';
import { ID } from './ids';
import * as queue from './queue';
import { IJob, IJobEvent, IJobs, IRuns, IStudies, Scale, Values } from './types';
import { summary } from './words';

const EVENT = 'urn:face-workbench:job:v1';
const RUNS = 100;
// Not below ID: there JupyterLab keeps open pages, and removes what is none.
const FORM = `${ID}-form`;

export interface ISettings {
  pollSeconds: number;
  defaultScale: Scale | '';
  /** Device that a form starts with where the study offers it; empty: the study's own. */
  defaultDevice: string;
  notify: boolean;
  statusBar: boolean;
}

export const SETTINGS: ISettings = {
  pollSeconds: 5,
  defaultScale: '',
  defaultDevice: '',
  notify: true,
  statusBar: true
};

/** Something that is asked of the server again and again, with its latest answer. */
export class Held<T> {
  value: T | null = null;
  error: Error | null = null;
  /** When it was last answered, in milliseconds since 1970. */
  at = 0;
  private _changed = new Signal<this, void>(this);
  private _asking: Promise<void> | null = null;
  private _again = false;

  constructor(private readonly ask: () => Promise<T>) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Ask now. While an answer is awaited one more question is kept, not many. */
  refresh(): Promise<void> {
    if (this._asking) {
      this._again = true;
      return this._asking;
    }
    this._asking = this.once().finally(() => {
      this._asking = null;
      if (this._again) {
        this._again = false;
        void this.refresh();
      }
    });
    return this._asking;
  }

  private async once(): Promise<void> {
    try {
      this.value = await this.ask();
      this.error = null;
    } catch (error) {
      this.error = error as Error;
    }
    this.at = Date.now();
    this._changed.emit();
  }
}

export class Bench {
  readonly api: Api;
  readonly studies: Held<IStudies>;
  readonly runs: Held<IRuns>;
  queue: queue.IQueue = queue.UNKNOWN;
  jobs: IJobs | null = null;
  jobsError: Error | null = null;
  settings: ISettings = { ...SETTINGS };

  private _queueChanged = new Signal<this, void>(this);
  private _settingsChanged = new Signal<this, void>(this);
  private _poll: Poll;
  private _watchers = new Set<{ held: Held<any>; seconds: number }>();

  constructor(
    readonly services: ServiceManager.IManager,
    readonly commands: CommandRegistry,
    readonly trans: TranslationBundle,
    private readonly state: IStateDB | null
  ) {
    this.api = new Api(services.serverSettings);
    this.studies = new Held(() => this.api.studies());
    this.runs = new Held(() => this.api.runs(RUNS));
    this._poll = new Poll({
      name: 'face-workbench:jobs',
      factory: () => this.look(),
      frequency: { interval: 5000, backoff: true, max: 60_000 },
      standby: 'when-hidden',
      auto: false
    });
    services.events.stream.connect((_, emission) => {
      if (emission.schema_id === EVENT) {
        this.heard(emission as unknown as IJobEvent);
      }
    });
  }

  get queueChanged(): ISignal<this, void> {
    return this._queueChanged;
  }

  get settingsChanged(): ISignal<this, void> {
    return this._settingsChanged;
  }

  /** Begin to ask; nothing is asked before something is shown or JupyterLab has settled. */
  start(): Promise<void> {
    return this._poll.start();
  }

  configure(settings: ISettings): void {
    this.settings = settings;
    const floor = this.jobs?.poll_seconds ?? 1;
    const seconds = Math.min(60, Math.max(1, floor, settings.pollSeconds));
    const interval = seconds * 1000;
    if (this._poll.frequency.interval !== interval) {
      this._poll.frequency = { interval, backoff: true, max: 60_000 };
    }
    this._settingsChanged.emit();
  }

  /**
   * A view that shows something held: while there is one, it is asked for again with the queue, at most every so many
   * seconds. Runs of a terminal are seen in this way.
   */
  watch(held: Held<any>, seconds: number): () => void {
    const watcher = { held, seconds };
    this._watchers.add(watcher);
    void held.refresh();
    return () => {
      this._watchers.delete(watcher);
    };
  }

  /** Ask the server for what changed in its queue. */
  async look(): Promise<void> {
    const since = this.queue.known ? this.queue.cursor : undefined;
    try {
      const answer = await this.api.jobs(since);
      const before = this.queue;
      const merged = queue.merge(before, answer, since !== undefined);
      this.jobs = answer;
      this.jobsError = null;
      this.become(
        queue.purged(merged, answer)
          ? queue.merge(queue.UNKNOWN, await this.api.jobs(), false)
          : merged
      );
      if (since === undefined) {
        this.configure(this.settings);
      } else {
        queue.finished(before, this.queue).forEach(job => this.tell(job));
      }
    } catch (error) {
      this.jobsError = error as Error;
      this._queueChanged.emit();
      throw error;
    } finally {
      for (const { held, seconds } of this._watchers) {
        if (Date.now() - held.at >= 1000 * seconds) {
          void held.refresh();
        }
      }
    }
  }

  /** Show at once what an action of ours did. */
  async did(job: Promise<IJob>): Promise<IJob> {
    const found = await job;
    const jobs = new Map(this.queue.jobs).set(found.id, found);
    this.become({ ...this.queue, jobs });
    void this.studies.refresh();
    return found;
  }

  forget(numbers: readonly number[]): void {
    const jobs = new Map(this.queue.jobs);
    numbers.forEach(number => jobs.delete(number));
    this.become({ ...this.queue, jobs });
  }

  async remembered(study: string): Promise<Values> {
    const found = await this.state?.fetch(`${FORM}:${study}`);
    return found && typeof found === 'object' ? (found as Values) : {};
  }

  async remember(study: string, values: Values): Promise<void> {
    await this.state?.save(`${FORM}:${study}`, values);
  }

  private heard(event: IJobEvent): void {
    if (!this.queue.known) {
      return;
    }
    const { queue: now, ask } = queue.apply(this.queue, event);
    const before = this.queue;
    if (now !== before) {
      this.become(now);
    }
    if (ask) {
      // The rest of the job, e.g. its verdicts, comes with the server's own answer.
      void this._poll.refresh();
      queue.finished(before, now).forEach(job => void this.tellOf(job.id));
    }
  }

  private become(now: queue.IQueue): void {
    const before = this.queue;
    this.queue = queue.placed(now);
    this._queueChanged.emit();
    const moved = [...now.jobs.values()].some(
      job => before.jobs.get(job.id)?.state !== job.state
    );
    if (moved && before.known) {
      void this.studies.refresh();
      void this.runs.refresh();
    }
  }

  private async tellOf(id: number): Promise<void> {
    this.tell(await this.api.job(id).catch(() => this.queue.jobs.get(id)));
  }

  private tell(job: IJob | undefined): void {
    if (!job || !this.settings.notify || job.state === 'cancelled') {
      return;
    }
    const { trans } = this;
    const done = job.state === 'done';
    const about = summary(job.counts, trans) || job.reason || '';
    const said = done
      ? trans.__('%1 is done: %2', job.slug, about || trans.__('no verdicts'))
      : trans.__('%1 %2: %3', job.slug, job.state, about);
    const open = {
      label: done ? trans.__('Open result') : trans.__('Show runs'),
      callback: () => {
        void (done && job.run
          ? this.commands.execute(`${ID}:open-run`, {
              study: job.study,
              run: job.run
            })
          : this.commands.execute(`${ID}:open-runs`, { job: job.id }));
      }
    };
    Notification.emit(said, done ? 'success' : 'error', {
      actions: [open],
      autoClose: done ? 8000 : false
    });
  }
}
