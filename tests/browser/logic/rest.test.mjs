import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

const load = createRequire(`${process.env.FRONT}/`);
const [search, words, code, interval] = ['search', 'words', 'code', 'interval'].map(name => load(`./${name}.js`));
const trans = {
  __: (text, ...values) => values.reduce((said, v, i) => said.replaceAll(`%${i + 1}`, v), text),
  _n: (one, many, n) => trans.__(n === 1 ? one : many, n)
};

const study = (slug, more) => ({
  name: slug, slug, title: slug, source: '', pillar: 'probing', words: [], claims: [], reported: [], data: [],
  state: { status: 'never run' }, ...more
});
const ALL = [
  study('saliency', { title: 'Explainable Verification', words: ['fggb'], claims: [{ id: 'C1', statement: 'maps find it' }] }),
  study('vlm', { title: 'Modèles de langage', data: [{ name: 'lfw' }], pillar: 'attributes', state: { status: 'died' } }),
  study('pad', { reported: [{ metric: 'APCER', dataset: 'OULU' }], pillar: '', state: { status: 'stale' } })
];
const found = query => search.find(ALL, { ...search.EVERYTHING, ...query }).map(s => s.slug);

test('a study is found by title, slug, method, data set, claim and reported number', () => {
  for (const [text, slugs] of [
    ['explainable', ['saliency']], ['SALIENCY', ['saliency']], ['fggb', ['saliency']], ['lfw', ['vlm']],
    ['maps C1', ['saliency']], ['apcer oulu', ['pad']], ['modeles', ['vlm']], ['fggb lfw', []],
    ['', ['saliency', 'vlm', 'pad']], ['  ', ['saliency', 'vlm', 'pad']]
  ]) {
    assert.deepEqual(found({ text }), slugs, text);
  }
});

test('states and pillars narrow the list', () => {
  assert.deepEqual(found({ show: 'failed' }), ['vlm']);
  assert.deepEqual(found({ show: 'never' }), ['saliency']);
  assert.deepEqual(found({ show: 'stale' }), ['pad']);
  assert.deepEqual(found({ pillar: 'attributes' }), ['vlm']);
});

test('groups follow the order of the server; unknown pillars come last', () => {
  const groups = search.groups(ALL, ['attributes', 'recognition', 'probing']);
  assert.deepEqual(groups.map(g => [g.pillar, g.studies.length]), [['attributes', 1], ['probing', 1], ['', 1]]);
});

test('seconds and bytes are said as one would', () => {
  const said = [0, 0.44, 9.94, 9.96, 59.4, 59.6, 185, 3599.6, 7800, null].map(words.duration);
  assert.deepEqual(said, [
    '0.0 s', '0.4 s', '9.9 s', '10 s', '59 s', '1 min 00 s', '3 min 05 s', '1 h 00 min', '2 h 10 min', ''
  ]);
  assert.deepEqual([0, 1023, 1024, 1536 * 1024, 25 * 2 ** 30].map(words.bytes), ['0 B', '1023 B', '1.0 KiB', '1.5 MiB', '25 GiB']);
});

test('verdicts are summed up in words; none is lost that is unknown here', () => {
  assert.equal(words.summary({ undecided: 2, supported: 5, odd: 1, refuted: 0 }, trans), '5 supported, 2 undecided, 1 odd');
});

test('every state is a word beside its sign', () => {
  for (const state of ['never run', 'queued', 'running', 'done', 'stale', 'failed', 'out of memory', 'died', 'stopped']) {
    const { sign, word } = words.stateSign(state, trans);
    assert.equal(word, state);
    assert.ok(sign);
  }
});

test('the status line names the machine and what runs', () => {
  const status = {
    cpu: { percent: 56.6, memory_available: 8 * 2 ** 30 },
    gpus: [{ index: 0, percent: null, memory_used: 2 ** 30, memory_total: 80 * 2 ** 30 }],
    counts: { running: 1, queued: 2 }
  };
  assert.equal(words.machine(status, trans), 'CPU 57 % · GPU0 1.0 GiB/80 GiB · 8.0 GiB free · 1 running · 2 queued');
});

test('the first picture is verified against each of the others', () => {
  assert.deepEqual(code.verifyCells(['a.png']), ['from workbench.widgets import Verify\n\nVerify("a.png")']);
  assert.deepEqual(code.verifyCells(['a.png', 'b.png', 'c.png']), [
    'from workbench.widgets import Verify\n\nVerify("a.png", "b.png")', 'Verify("a.png", "c.png")'
  ]);
  assert.equal(code.verifyCells(Array(20).fill('x.png')).length, 7);
});

test('pictures are told by their endings', () => {
  assert.deepEqual(['a.PNG', 'a.jpeg', 'b.txt', 'png', 'a.svg'].map(code.isPicture), [true, true, false, false, false]);
});

test('a page of a report is kept from scripts and from the network', () => {
  const page = code.sandboxed('<p>x</p>');
  assert.match(page, /^<!doctype html><base href="about:srcdoc"><meta http-equiv="Content-Security-Policy" content="default-src 'none';/);
  assert.ok(page.endsWith('<p>x</p>'));
});

test('values share one axis with their intervals', () => {
  const number = (value, low, high) => ({ value, low, high });
  assert.deepEqual(interval.marks([number(2, 0, 4), null, number(3, null, null), number(null, null, null)]), [
    { at: 0.5, low: 0, high: 1 }, null, { at: 0.75, low: null, high: null }, null
  ]);
  assert.deepEqual(interval.marks([number(7, 7, 7)]), [{ at: 0.5, low: 0.5, high: 0.5 }]);
});

// Python reads these in the test beside: the names that a file may have, as a Python string.
test('names become Python strings', () => {
  const names = ['a"b.png', "it's.png", 'back\\slash.png', 'líne\u2028end.png', '😀.png', '{x}.png', '\ud800.png', 'x\n.png'];
  const all = JSON.stringify(names.map(code.quoted));
  console.log(`QUOTED ${Buffer.from(all).toString('base64')}`);
  assert.ok(names.map(code.quoted).every(text => /^[\x20-\x7e]+$/.test(text)));
});
