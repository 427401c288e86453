/** Everything that can be done, as commands: palette, launcher, menus, shortcuts and buttons all call these. */

import { JupyterFrontEnd } from '@jupyterlab/application';
import {
  Clipboard,
  Dialog,
  InputDialog,
  Notification,
  showDialog
} from '@jupyterlab/apputils';
import { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { Bench } from './bench';
import { benchIcon } from './icons';
import { ID } from './ids';
import { Place } from './pages';
import { active, ended, order } from './queue';
import { lastRun } from './study';
import { IStudy, Values } from './types';
import { bytes } from './words';

type Args = ReadonlyPartialJSONObject;

export interface IViews {
  /** Show the side panel, ready for a search. */
  panel(): void;
  page(place: Place): void;
  form(study: string): void;
  download(name: string, kind: string, text: string): void;
}

/** Commands that make sense without arguments, in the order of the palette. */
export const PALETTE = [
  'open-studies',
  'open-study',
  'run-study',
  'open-notebook',
  'open-runs',
  'open-board',
  'open-run',
  'open-report',
  'compare-runs',
  'cancel-job',
  'restart-job',
  'refresh'
];

export function addCommands(
  app: JupyterFrontEnd,
  bench: Bench,
  views: IViews
): void {
  const { trans } = bench;
  const add = (
    name: string,
    label: string,
    caption: string,
    execute: (args: Args) => Promise<unknown> | unknown,
    more: object = {}
  ) =>
    app.commands.addCommand(`${ID}:${name}`, {
      label,
      caption,
      execute: args => told(async () => execute(args)),
      ...more
    });
  const study = (args: Args) => chosenStudy(app, bench, args);

  add(
    'open-studies',
    trans.__('Studies'),
    trans.__('Show all studies in the side panel and search them'),
    () => views.panel(),
    { icon: benchIcon }
  );
  add(
    'open-study',
    trans.__('Open Study'),
    trans.__('Show the page of a study: claims, verdicts, run form'),
    async args => {
      const name = await study(args);
      if (name) {
        views.page({ page: 'study', study: name });
      }
    }
  );
  add(
    'run-study',
    trans.__('Run Study…'),
    trans.__('Fill in the form of a study and run it'),
    async args => {
      const name = await study(args);
      if (name) {
        views.form(name);
      }
    }
  );
  add(
    'open-notebook',
    trans.__('Open Notebook'),
    trans.__('Open a copy of the notebook in your own folder'),
    async args => {
      const name = await study(args);
      if (name) {
        await openNotebook(app, bench, name, args.fresh === true);
      }
    }
  );
  add(
    'open-runs',
    trans.__('Runs'),
    trans.__('Show what runs, what waits and what was run'),
    args =>
      views.page({
        page: 'runs',
        ...(typeof args.job === 'number' ? { job: args.job } : {})
      }),
    { icon: benchIcon }
  );
  add(
    'open-board',
    trans.__('Board'),
    trans.__('Show the state of every study and the verdict on every claim'),
    () => views.page({ page: 'board' }),
    { icon: benchIcon }
  );
  addRunCommands(add, app, bench, views);
  addJobCommands(add, bench);
  // Its failure belongs into the form that called it, not into a notification.
  app.commands.addCommand(`${ID}:start-run`, {
    label: trans.__('Start Run'),
    caption: trans.__('Queue a run of a study with given parameters'),
    execute: args =>
      bench.did(
        bench.api.run(String(args.study), (args.parameters ?? {}) as Values)
      )
  });
  add(
    'refresh',
    trans.__('Refresh'),
    trans.__('Ask the server again for studies, queue and runs'),
    async () => {
      await Promise.all([
        bench.studies.refresh(),
        bench.runs.refresh(),
        bench.look()
      ]);
    }
  );
  add(
    'copy-text',
    trans.__('Copy'),
    trans.__('Copy to the clipboard'),
    args => {
      Clipboard.copyToSystem(String(args.text ?? ''));
      Notification.info(trans.__('Copied.'), { autoClose: 1500 });
    }
  );
}

type Add = (
  name: string,
  label: string,
  caption: string,
  execute: (args: Args) => Promise<unknown> | unknown,
  more?: object
) => unknown;

function addRunCommands(
  add: Add,
  app: JupyterFrontEnd,
  bench: Bench,
  views: IViews
): void {
  const { trans } = bench;
  const show = async (page: 'run' | 'report', args: Args) => {
    const place = await chosenRun(app, bench, args);
    if (place) {
      views.page({ page, ...place });
    }
  };
  add(
    'open-run',
    trans.__('Open Result'),
    trans.__('Show what a run found: verdicts, numbers, figures'),
    args => show('run', args)
  );
  add(
    'open-report',
    trans.__('Read Report'),
    trans.__('Show the report of a run'),
    args => show('report', args)
  );
  add(
    'compare-runs',
    trans.__('Compare Runs'),
    trans.__('Set two or more runs side by side'),
    args => {
      const runs = Array.isArray(args.runs) ? args.runs.map(String) : [];
      // Without runs, the page on which they are ticked.
      views.page(runs.length > 1 ? { page: 'compare', runs } : { page: 'runs' });
    }
  );
  add(
    'export-comparison',
    '',
    trans.__('Keep the comparison as a file'),
    async args => {
      const runs = Array.isArray(args.runs) ? args.runs.map(String) : [];
      const csv = args.format === 'csv';
      const text = await bench.api.table(runs, csv ? 'csv' : 'markdown');
      views.download(
        csv ? 'compare.csv' : 'compare.md',
        csv ? 'text/csv' : 'text/markdown',
        text
      );
    },
    {
      label: (args: Args) =>
        args.format === 'csv' ? trans.__('Export CSV') : trans.__('Export Markdown')
    }
  );
  add(
    'purge-run',
    trans.__('Purge…'),
    trans.__('Remove a run with its notebook, report, pictures and logs'),
    async args => {
      const place = await chosenRun(app, bench, args);
      if (place && (await sure(bench, place.run))) {
        await purge(bench, place);
      }
    }
  );
}

async function sure(bench: Bench, run: string): Promise<boolean> {
  const { trans } = bench;
  const reply = await showDialog({
    title: trans.__('Purge run %1?', run),
    body: trans.__(
      'Its result, notebook, report, pictures and logs are removed. This cannot be undone.'
    ),
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Purge') })]
  });
  return reply.button.accept;
}

async function purge(
  bench: Bench,
  place: { study: string; run: string }
): Promise<void> {
  const { trans } = bench;
  const gone = await bench.api.purge(place.study, place.run);
  bench.forget(
    order(bench.queue)
      .filter(job => job.study === place.study && job.run === place.run)
      .map(job => job.id)
  );
  await Promise.all([bench.runs.refresh(), bench.studies.refresh()]);
  Notification.info(trans.__('Purged: %1 freed.', bytes(gone.bytes)), {
    autoClose: 4000
  });
}

function addJobCommands(add: Add, bench: Bench): void {
  const { trans } = bench;
  add(
    'cancel-job',
    trans.__('Cancel'),
    trans.__('Cancel a job that waits or runs'),
    async args => {
      const id = await chosenJob(bench, args, false);
      if (id !== null) {
        await bench.did(bench.api.cancel(id));
      }
    },
    { isEnabled: (args: Args) => Boolean(args.job) || active(bench.queue).length > 0 }
  );
  add(
    'restart-job',
    trans.__('Run Again'),
    trans.__('Queue an ended job again; finished steps are kept'),
    async args => {
      const id = await chosenJob(bench, args, true);
      if (id !== null) {
        await bench.did(bench.api.restart(id));
      }
    },
    {
      isEnabled: (args: Args) =>
        Boolean(args.job) || order(bench.queue).some(job => ended(job.state))
    }
  );
}

/** Do it; a failure becomes a notification in words. */
async function told<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    Notification.error((error as Error).message, { autoClose: false });
    return undefined;
  }
}

async function chosenStudy(
  app: JupyterFrontEnd,
  bench: Bench,
  args: Args
): Promise<string | null> {
  if (typeof args.study === 'string') {
    return args.study;
  }
  // From the context menu of the panel: the row under the pointer.
  const row = args.here
    ? app.contextMenuHitTest(node => Boolean(node.dataset.study))
    : undefined;
  return row?.dataset.study ?? (await askStudy(bench))?.name ?? null;
}

async function askStudy(bench: Bench): Promise<IStudy | null> {
  if (!bench.studies.value) {
    await bench.studies.refresh();
  }
  if (!bench.studies.value) {
    throw bench.studies.error ?? new Error(bench.trans.__('There are no studies.'));
  }
  const { studies } = bench.studies.value;
  const items = studies.map(study => `${study.slug}: ${study.title}`);
  const reply = await InputDialog.getItem({
    title: bench.trans.__('Which study?'),
    items
  });
  return studies[items.indexOf(reply.value ?? '')] ?? null;
}

async function chosenRun(
  app: JupyterFrontEnd,
  bench: Bench,
  args: Args
): Promise<{ study: string; run: string } | null> {
  if (typeof args.study === 'string' && typeof args.run === 'string') {
    return { study: args.study, run: args.run };
  }
  const name = await chosenStudy(app, bench, args);
  if (!name) {
    return null;
  }
  const page = await bench.api.study(name);
  const last = lastRun(page);
  if (!last) {
    throw new Error(bench.trans.__('%1 has no result yet.', page.slug));
  }
  return { study: name, run: last.run };
}

async function chosenJob(
  bench: Bench,
  args: Args,
  over: boolean
): Promise<number | null> {
  if (typeof args.job === 'number') {
    return args.job;
  }
  const jobs = order(bench.queue).filter(job => ended(job.state) === over);
  const items = jobs.map(job => `${job.id}: ${job.slug}, ${job.scale}, ${job.state}`);
  const reply = await InputDialog.getItem({
    title: bench.trans.__('Which job?'),
    items
  });
  return jobs[items.indexOf(reply.value ?? '')]?.id ?? null;
}

async function openNotebook(
  app: JupyterFrontEnd,
  bench: Bench,
  study: string,
  fresh: boolean
): Promise<void> {
  const { trans } = bench;
  const copy = await bench.api.open(study, fresh);
  await app.commands.execute('docmanager:open', { path: copy.path });
  const again = {
    label: trans.__('Open a fresh copy'),
    callback: () => {
      void app.commands.execute(`${ID}:open-notebook`, { study, fresh: true });
    }
  };
  if (copy.state === 'yours') {
    Notification.info(trans.__('This is your own changed copy, %1.', copy.path), {
      actions: [again],
      autoClose: 6000
    });
  } else if (copy.state === 'older') {
    Notification.info(
      trans.__('This copy, %1, is of an earlier version.', copy.path),
      { actions: [again], autoClose: 6000 }
    );
  }
}
