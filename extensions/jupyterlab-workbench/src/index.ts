/** Face Workbench in JupyterLab and Notebook 7. What is not vital is optional, so that one build serves both. */

import {
  ILabShell,
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';
import { Bench, SETTINGS } from './bench';
import { IViews, PALETTE, addCommands } from './commands';
import { DOMAIN, ID } from './ids';
import { Page, Place, idOf, isPlace } from './pages';
import { StudiesPanel } from './panel';
import { MachineItem } from './statusbar';
import { Scale } from './types';
import { addVerify } from './verify';

const PLUGIN = '@face-workbench/jupyterlab:plugin';

/** What the main plugin gives to those that only some front ends can load. */
const IBench = new Token<Bench>('@face-workbench/jupyterlab:IBench');

const plugin: JupyterFrontEndPlugin<Bench> = {
  id: PLUGIN,
  description: 'Studies, runs, comparisons and the board of Face Workbench.',
  autoStart: true,
  provides: IBench,
  optional: [
    ILabShell,
    ILayoutRestorer,
    ICommandPalette,
    ILauncher,
    ISettingRegistry,
    IStateDB,
    ITranslator
  ],
  activate: (
    app: JupyterFrontEnd,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    settings: ISettingRegistry | null,
    state: IStateDB | null,
    translator: ITranslator | null
  ): Bench => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const bench = new Bench(app.serviceManager, app.commands, trans, state);
    const category = trans.__('Face Workbench');
    const tracker = new WidgetTracker<Page>({ namespace: ID });
    const panel = new StudiesPanel(bench);
    app.shell.add(panel, 'left', { rank: 350 });
    addCommands(app, bench, views(app, bench, labShell, tracker, panel));
    app.commands.addCommand(`${ID}:restore`, {
      label: trans.__('Restore a page'),
      execute: args => {
        if (isPlace(args)) {
          show(app, bench, labShell, tracker, args);
        }
      }
    });
    if (restorer) {
      restorer.add(panel, panel.id);
      void restorer.restore(tracker, {
        command: `${ID}:restore`,
        args: page => page.place,
        name: page => page.id
      });
    }
    PALETTE.forEach(name => {
      palette?.addItem({ command: `${ID}:${name}`, category });
    });
    ['open-studies', 'open-runs', 'open-board'].forEach((name, rank) => {
      launcher?.add({ command: `${ID}:${name}`, category, rank });
    });
    void configured(bench, settings);
    void app.restored.then(() => bench.start());
    return bench;
  }
};

function views(
  app: JupyterFrontEnd,
  bench: Bench,
  labShell: ILabShell | null,
  tracker: WidgetTracker<Page>,
  panel: StudiesPanel
): IViews {
  return {
    panel: () => app.shell.activateById(panel.id),
    page: place => {
      show(app, bench, labShell, tracker, place);
    },
    form: study =>
      show(app, bench, labShell, tracker, { page: 'study', study }).focusForm(),
    download: (name, kind, text) => {
      const url = URL.createObjectURL(new Blob([text], { type: kind }));
      const link = document.createElement('a');
      link.href = url;
      link.download = name;
      link.click();
      URL.revokeObjectURL(url);
    }
  };
}

/** Notebook 7 has one document in its main area: pages go beside it. */
function show(
  app: JupyterFrontEnd,
  bench: Bench,
  labShell: ILabShell | null,
  tracker: WidgetTracker<Page>,
  place: Place
): Page {
  let page = tracker.find(one => one.id === idOf(place));
  if (!page) {
    page = new Page(bench, place);
    app.shell.add(page, labShell ? 'main' : 'right');
    void tracker.add(page);
  } else {
    page.showPlace(place);
    void tracker.save(page);
  }
  app.shell.activateById(page.id);
  return page;
}

async function configured(
  bench: Bench,
  registry: ISettingRegistry | null
): Promise<void> {
  if (!registry) {
    return;
  }
  const found = await registry.load(PLUGIN);
  const read = () => {
    const all = found.composite;
    bench.configure({
      pollSeconds: Number(all.pollSeconds) || SETTINGS.pollSeconds,
      defaultScale: (all.defaultScale ?? SETTINGS.defaultScale) as Scale | '',
      defaultDevice: String(all.defaultDevice ?? SETTINGS.defaultDevice),
      notify: all.notify !== false,
      statusBar: all.statusBar !== false
    });
  };
  found.changed.connect(read);
  read();
}

const statusBar: JupyterFrontEndPlugin<void> = {
  id: '@face-workbench/jupyterlab:status',
  description: 'Processor, memory, GPUs and running jobs in the status bar.',
  autoStart: true,
  requires: [IBench],
  optional: [IStatusBar],
  activate: (_: JupyterFrontEnd, bench: Bench, bar: IStatusBar | null) => {
    if (bar) {
      bar.registerStatusItem(`${ID}:machine`, {
        item: new MachineItem(bench),
        align: 'right',
        rank: 90
      });
    }
  }
};

const verify: JupyterFrontEndPlugin<void> = {
  id: '@face-workbench/jupyterlab:verify',
  description: 'Verify faces from the file browser.',
  autoStart: true,
  requires: [IBench],
  optional: [IDefaultFileBrowser],
  activate: (
    app: JupyterFrontEnd,
    bench: Bench,
    browser: IDefaultFileBrowser | null
  ) => {
    if (browser) {
      addVerify(app, bench, browser);
    }
  }
};

export default [plugin, statusBar, verify];
