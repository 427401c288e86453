import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

const load = createRequire(`${process.env.FRONT}/`);
const queue = load('./queue.js');

const PROGRESS = { fraction: null, cell: null, cells: null, step: null, steps_done: 0, line: null };
const job = (id, state, changed, more) => ({
  id, study: 's', slug: 's', state, changed, position: null, progress: PROGRESS, expected_seconds: null, run: null, ...more
});
const answer = (cursor, ...jobs) => ({ jobs, cursor });
const first = queue.merge(queue.UNKNOWN, answer(10, job(2, 'running', 9), job(1, 'done', 5)), false);
const event = (id, state, cursor, more) => ({
  id, state, cursor, reason: null, run: 'r', seconds: 3, position: null, cancelling: false,
  progress: { ...PROGRESS, fraction: 0.5 }, ...more
});

test('an event is seen at once, and an old one changes nothing', () => {
  const { queue: now, ask } = queue.apply(first, event(2, 'running', 12));
  assert.equal(now.jobs.get(2).progress.fraction, 0.5);
  assert.equal(ask, false);
  assert.equal(queue.apply(now, event(2, 'running', 11, { seconds: 1 })).queue.jobs.get(2).seconds, 3);
  // The cursor stays: what other events told may have been missed.
  assert.equal(now.cursor, 10);
});

test('a new job and an ended one make the server be asked', () => {
  assert.equal(queue.apply(first, event(7, 'queued', 12)).ask, true);
  const { queue: now, ask } = queue.apply(first, event(2, 'failed', 12));
  assert.equal(ask, true);
  assert.deepEqual(queue.finished(first, now).map(j => j.id), [2]);
  assert.deepEqual(queue.finished(now, now), []);
});

test('a poll adds to what is known and never goes back', () => {
  const ahead = queue.apply(first, event(2, 'done', 20)).queue;
  const late = queue.merge(ahead, answer(15, job(2, 'running', 15), job(3, 'queued', 14)), true);
  assert.equal(late.jobs.get(2).state, 'done');
  assert.deepEqual([...late.jobs.keys()].sort(), [1, 2, 3]);
  assert.equal(late.cursor, 15);
  const whole = queue.merge(late, answer(3, job(9, 'queued', 2)), false);
  assert.deepEqual([[...whole.jobs.keys()], whole.cursor], [[9], 3]);
});

test('running comes first, then who waits in order, then the latest that ended', () => {
  const jobs = [
    job(1, 'done', 1), job(2, 'queued', 2, { position: 2 }), job(3, 'running', 3), job(4, 'failed', 4),
    job(5, 'queued', 5, { position: 1 })
  ];
  const now = queue.merge(queue.UNKNOWN, answer(9, ...jobs), false);
  assert.deepEqual(queue.order(now).map(j => j.id), [3, 5, 2, 4, 1]);
  assert.deepEqual(queue.active(now).map(j => j.id), [3, 5, 2]);
});

test('who waits moves up when another starts, is cancelled or is added', () => {
  const jobs = [
    job(1, 'queued', 1, { device: 'cpu', position: 1 }), job(2, 'queued', 2, { device: 'cpu', position: 2 }),
    job(3, 'queued', 3, { device: 'gpu', position: 1 }), job(4, 'queued', 4, { device: 'cpu', position: 3 })
  ];
  const first = queue.placed(queue.merge(queue.UNKNOWN, answer(9, ...jobs), false));
  assert.deepEqual([...first.jobs.values()].map(j => j.position), [1, 2, 1, 3]);
  const started = queue.placed(queue.apply(first, event(1, 'running', 12)).queue);
  assert.deepEqual([...started.jobs.values()].map(j => j.position), [null, 1, 1, 2]);
  // What did not move is the same object: its row is not drawn again.
  assert.equal(started.jobs.get(3), first.jobs.get(3));
});

test('jobs that the server no longer has are noticed', () => {
  const now = queue.merge(queue.UNKNOWN, answer(9, job(1, 'done', 1), job(2, 'running', 2)), false);
  assert.equal(queue.purged(now, { counts: { done: 1, running: 1 } }), false);
  assert.equal(queue.purged(now, { counts: { done: 0, running: 1 } }), true);
  // More than one answer holds: nothing can be told.
  assert.equal(queue.purged(now, { counts: { done: 600 } }), false);
});

test('what is left is told from earlier runs, or from its own pace once there is one', () => {
  const at = (fraction, expected) =>
    job(1, 'running', 1, { progress: { ...PROGRESS, fraction }, expected_seconds: expected });
  assert.equal(queue.remaining(at(0.1, 90), 30), 60);
  assert.equal(queue.remaining(at(0.5, null), 30), 30);
  assert.equal(queue.remaining(at(0.5, 20), 30), 30);
  assert.equal(queue.remaining(at(0.1, null), 30), null);
  assert.equal(queue.remaining(job(1, 'queued', 1), 30), null);
});

test('a long log keeps its end, from the start of a line', () => {
  assert.equal(queue.grown('ab\n', 'cd\n', 100), 'ab\ncd\n');
  assert.equal(queue.grown('abcdef\n', 'gh\nij\n', 8), 'gh\nij\n');
});
