/** Documents of the main area. What a page shows is plain data, so that JupyterLab can bring it back after a reload. */

import { ReactWidget } from '@jupyterlab/ui-components';
import { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { Message } from '@lumino/messaging';
import * as React from 'react';
import { Bench } from './bench';
import { BoardView } from './board';
import { CompareView } from './compare';
import { benchIcon } from './icons';
import { ID } from './ids';
import { ReportView, RunView } from './result';
import { RunsView } from './runs';
import { StudyView } from './study';

export type Place = ReadonlyPartialJSONObject &
  (
    | { page: 'study'; study: string }
    | { page: 'run' | 'report'; study: string; run: string }
    | { page: 'runs'; job?: number }
    | { page: 'compare'; runs: string[] }
    | { page: 'board' }
  );

/** One page for one thing: opening it again shows the one that is there. */
export function idOf(place: Place): string {
  switch (place.page) {
    case 'study':
      return `${ID}-study-${place.study}`;
    case 'run':
    case 'report':
      return `${ID}-${place.page}-${place.study}-${place.run}`;
    case 'compare':
      return `${ID}-compare-${place.runs.join('-').replace(/\//g, '-')}`;
    default:
      return `${ID}-${place.page}`;
  }
}

/** Whether something that was stored or typed names a page. */
export function isPlace(args: ReadonlyPartialJSONObject): args is Place {
  const text = (name: string) => typeof args[name] === 'string' && args[name] !== '';
  switch (args.page) {
    case 'study':
      return text('study');
    case 'run':
    case 'report':
      return text('study') && text('run');
    case 'compare':
      return (
        Array.isArray(args.runs) &&
        args.runs.length > 1 &&
        args.runs.every(run => typeof run === 'string')
      );
    default:
      return args.page === 'runs' || args.page === 'board';
  }
}

export class Page extends ReactWidget {
  constructor(
    private readonly bench: Bench,
    public place: Place
  ) {
    super();
    this.id = idOf(place);
    this.title.label = this.label();
    this.title.caption = this.title.label;
    this.title.icon = benchIcon;
    this.title.closable = true;
    this.addClass('fwl-document');
    this.node.tabIndex = 0;
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', this.title.label);
  }

  /** Show another thing of the same page, e.g. another job among the runs. */
  showPlace(place: Place): void {
    this.place = place;
    this.update();
  }

  /** Bring the run form into view, with the first field ready. */
  focusForm(): void {
    let tries = 50;
    const look = () => {
      const form = this.node.querySelector<HTMLElement>('[data-fwl="form"]');
      const field = form?.querySelector<HTMLElement>('input:checked, input, select');
      if (field) {
        form?.scrollIntoView({ block: 'nearest' });
        field.focus();
      } else if (tries-- > 0 && !this.isDisposed) {
        window.setTimeout(look, 100);
      }
    };
    look();
  }

  protected onActivateRequest(_: Message): void {
    this.node.focus({ preventScroll: true });
  }

  render(): JSX.Element {
    const { bench, place } = this;
    switch (place.page) {
      case 'study':
        return <StudyView bench={bench} study={place.study} />;
      case 'run':
        return <RunView bench={bench} study={place.study} run={place.run} />;
      case 'report':
        return <ReportView bench={bench} study={place.study} run={place.run} />;
      case 'compare':
        return <CompareView bench={bench} runs={place.runs} />;
      case 'board':
        return <BoardView bench={bench} />;
      case 'runs':
        return <RunsView bench={bench} job={place.job} />;
    }
  }

  private label(): string {
    const { trans } = this.bench;
    const { place } = this;
    switch (place.page) {
      case 'study':
        return place.study;
      case 'run':
        return trans.__('%1 result', place.study);
      case 'report':
        return trans.__('%1 report', place.study);
      case 'compare':
        return trans.__('Comparison');
      case 'board':
        return trans.__('Board');
      case 'runs':
        return trans.__('Runs');
    }
  }
}
