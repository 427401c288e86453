import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

const load = createRequire(`${process.env.FRONT}/`);
const form = load('./form.js');
const trans = {
  __: (text, ...values) => values.reduce((said, v, i) => said.replaceAll(`%${i + 1}`, v), text),
  _n: (one, many, n) => trans.__(n === 1 ? one : many, n)
};

const parameter = more => ({
  name: 'p', kind: 'int', default: 1, optional: false, choices: [], low: null, high: null, help: '', allowed: 'int',
  by_scale: null, runtime: false, common: false, ...more
});
const SCALE = parameter({ name: 'scale', kind: 'str', default: 'demo', choices: ['smoke', 'demo', 'paper'], common: true });
const PAIRS = parameter({ name: 'pairs', default: null, optional: true, low: 4, high: 3000, by_scale: { smoke: 6 } });
const RATE = parameter({ name: 'rate', kind: 'float', default: 0.5, low: 0 });
const TICK = parameter({ name: 'tick', kind: 'bool', default: true });
const TEXT = parameter({ name: 'text', kind: 'str', default: 'a' });

const entered = (p, text) => form.value(p, text, trans);

test('numbers are whole or decimal, finite and within their range', () => {
  for (const [p, text, value] of [
    [PAIRS, '4', 4], [PAIRS, ' 3000 ', 3000], [PAIRS, '', null], [PAIRS, '  ', null], [RATE, '1e-3', 0.001],
    [RATE, '.5', 0.5], [RATE, '2', 2], [RATE, '+1.', 1]
  ]) {
    assert.deepEqual(entered(p, text), { value }, `${p.name} ${text}`);
  }
  for (const [p, text] of [
    [PAIRS, '3'], [PAIRS, '3001'], [PAIRS, '4.0'], [PAIRS, '1e2'], [PAIRS, '0x10'], [PAIRS, '12345678901234567890'],
    [RATE, ''], [RATE, 'NaN'], [RATE, 'Infinity'], [RATE, '1e999'], [RATE, '-1'], [RATE, '1,5'], [RATE, '1 2']
  ]) {
    assert.equal(entered(p, text).value, undefined, `${p.name} ${text}`);
    assert.ok(entered(p, text).error.what, `${p.name} ${text}`);
  }
});

test('text is text, even where it looks like something else', () => {
  assert.deepEqual(entered(TEXT, ' 01 '), { value: ' 01 ' });
  assert.deepEqual(entered(TEXT, ''), { value: '' });
  assert.deepEqual(entered({ ...TEXT, optional: true }, ''), { value: null });
});

test('a choice keeps the kind of its value', () => {
  const size = parameter({ name: 'size', choices: [64, 112], default: 112 });
  assert.deepEqual(entered(size, '64'), { value: 64 });
  assert.ok(entered(size, '65').error);
  assert.deepEqual(entered({ ...size, optional: true }, ''), { value: null });
});

test('only what differs from its default is sent, and the scale always', () => {
  const all = [SCALE, PAIRS, RATE, TICK, TEXT];
  const first = form.start(all, {}, 'smoke');
  assert.deepEqual(form.read(all, first, trans), { values: { scale: 'smoke' }, errors: {} });
  const { values, errors } = form.read(all, { ...first, pairs: '8', tick: false, rate: 'x', text: '' }, trans);
  assert.deepEqual(values, { scale: 'smoke', pairs: 8, tick: false, text: '' });
  assert.deepEqual(Object.keys(errors), ['rate']);
});

test('what was remembered is taken where it still fits', () => {
  const all = [SCALE, PAIRS, TICK];
  const remembered = { scale: 'paper', pairs: 40, gone: 1, tick: 'yes' };
  assert.deepEqual(form.start(all, remembered, 'demo'), { scale: 'paper', pairs: '40', tick: true });
  assert.deepEqual(form.start(all, { scale: 'huge', pairs: 'many' }, 'demo'), { scale: 'demo', pairs: '', tick: true });
  // A name of every object is no remembered value.
  assert.equal(form.start([parameter({ name: 'constructor' })], {}, 'demo').constructor, '1');
});

test('what an empty field means is said for the scale', () => {
  assert.equal(form.whenEmpty(PAIRS, 'smoke', trans), '6, by scale');
  assert.equal(form.whenEmpty(PAIRS, 'paper', trans), 'left open');
  assert.equal(form.whenEmpty(RATE, 'smoke', trans), '');
});

test('the study asks first, the setting comes after, the scale alone', () => {
  const seed = parameter({ name: 'seed', common: true });
  const workers = parameter({ name: 'workers', runtime: true });
  const { scale, own, setting } = form.parts([SCALE, seed, PAIRS, workers]);
  assert.equal(scale.name, 'scale');
  assert.deepEqual([own.map(p => p.name), setting.map(p => p.name)], [['pairs'], ['seed', 'workers']]);
});

test('a form starts on the device of the settings, where the study offers it and nothing is remembered', () => {
  const device = parameter({ name: 'device', kind: 'str', default: 'auto', choices: ['auto', 'cpu'], common: true });
  assert.equal(form.start([SCALE, device], {}, 'smoke', 'cpu').device, 'cpu');
  assert.equal(form.start([SCALE, device], {}, 'smoke', 'cuda').device, 'auto');
  assert.equal(form.start([SCALE, device], {}, 'smoke', '').device, 'auto');
  // Values are remembered where they differ from the study's own: here 'auto' was chosen.
  assert.equal(form.start([SCALE, device], { scale: 'demo' }, 'smoke', 'cpu').device, 'auto');
  assert.equal(form.start([SCALE, device], { scale: 'demo', device: 'cpu' }, 'smoke', '').device, 'cpu');
});
