/** From chosen pictures of the file browser to a notebook that verifies them. */

import { JupyterFrontEnd } from '@jupyterlab/application';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { Contents } from '@jupyterlab/services';
import { Bench } from './bench';
import { isPicture, notebook, verifyCells } from './code';
import { ID } from './ids';

export function addVerify(
  app: JupyterFrontEnd,
  bench: Bench,
  browser: IDefaultFileBrowser
): void {
  const { trans } = bench;
  const pictures = () =>
    Array.from(browser.selectedItems()).filter(
      item => item.type !== 'directory' && isPicture(item.name)
    );
  app.commands.addCommand(`${ID}:verify-faces`, {
    label: trans.__('Verify faces…'),
    caption: trans.__('Open a notebook that compares the faces of these pictures'),
    isVisible: () => pictures().length > 0,
    isEnabled: () => pictures().length > 0,
    execute: async () => {
      const path = await written(bench, browser.model.path, pictures());
      await app.commands.execute('docmanager:open', { path });
    }
  });
}

/** The notebook lies beside the pictures, so that their names alone name them. */
async function written(
  bench: Bench,
  folder: string,
  items: readonly Contents.IModel[]
): Promise<string> {
  const { contents } = bench.services;
  const made = await contents.newUntitled({ path: folder, type: 'notebook' });
  const content = notebook(verifyCells(items.map(item => item.name)));
  const saved = await contents.save(made.path, {
    type: 'notebook',
    format: 'json',
    content
  });
  return saved.path;
}
