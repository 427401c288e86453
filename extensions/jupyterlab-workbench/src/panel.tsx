/** The side panel: all studies, a search and the state of each. */

import { ReactWidget } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import * as React from 'react';
import { Bench } from './bench';
import { benchIcon } from './icons';
import { ID } from './ids';
import { CommandButton, Problem, Sign, Verdicts, Waiting, useSignals } from './parts';
import { EVERYTHING, IQuery, Show, find, groups } from './search';
import { IStudy } from './types';
import * as words from './words';

/** While the panel is shown: runs of a terminal change the state of studies, too. */
const STUDIES_SECONDS = 20;

export class StudiesPanel extends ReactWidget {
  constructor(private readonly bench: Bench) {
    super();
    const label = bench.trans.__('Studies');
    this.id = `${ID}-studies`;
    this.title.icon = benchIcon;
    this.title.caption = bench.trans.__('Face Workbench: studies');
    this.addClass('fwl-panel');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', label);
  }

  protected onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._stop?.();
    this._stop = this.bench.watch(this.bench.studies, STUDIES_SECONDS);
  }

  protected onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    this._stop?.();
    this._stop = null;
  }

  protected onActivateRequest(_: Message): void {
    const search = this.node.querySelector('input');
    this._wanted = !search;
    search?.focus();
  }

  render(): JSX.Element {
    return <Studies bench={this.bench} drawn={() => this.drawn()} />;
  }

  /** The first activation may come before there is anything to focus. */
  private drawn(): void {
    if (this._wanted) {
      this._wanted = false;
      this.node.querySelector('input')?.focus();
    }
  }

  private _wanted = false;

  private _stop: (() => void) | null = null;
}

function Studies(props: { bench: Bench; drawn: () => void }): JSX.Element {
  const { bench, drawn } = props;
  const { trans } = bench;
  const [query, setQuery] = React.useState<IQuery>(EVERYTHING);
  const list = React.useRef<HTMLDivElement>(null);
  useSignals(bench.studies.changed);
  React.useEffect(drawn, []);
  const { value, error } = bench.studies;
  const all = value?.studies ?? [];
  const found = React.useMemo(() => find(all, query), [value, query]);
  React.useEffect(() => {
    // In braces: scrolling gives a promise in newer browsers, which React would take for a clean-up.
    void list.current?.scrollTo(0, 0);
  }, [query]);
  const grouped = groups(found, value?.pillars ?? []);
  const pillars = groups(all, value?.pillars ?? []).map(group => group.pillar);
  return (
    <>
      <div className="fwl-head">
        <input
          type="search"
          className="fwl-input"
          aria-label={trans.__('Search studies')}
          placeholder={trans.__('Title, method, data set, claim')}
          value={query.text}
          onChange={event => setQuery({ ...query, text: event.target.value })}
          onKeyDown={event => {
            if (event.key === 'ArrowDown') {
              event.preventDefault();
              focusAt(list.current, 0);
            }
          }}
        />
        <div className="fwl-row">
          <Choice
            label={trans.__('State')}
            value={query.show}
            options={shown(bench)}
            onChange={show => setQuery({ ...query, show: show as Show })}
          />
          <Choice
            label={trans.__('Pillar')}
            value={query.pillar}
            options={[
              ['', trans.__('All pillars')],
              ...pillars.map(name => [name, words.pillarName(name, trans)])
            ]}
            onChange={pillar => setQuery({ ...query, pillar })}
          />
        </div>
        <div className="fwl-row fwl-wrap">
          <CommandButton bench={bench} command="open-runs" label={trans.__('Runs')} />
          <CommandButton bench={bench} command="open-board" label={trans.__('Board')} />
          <CommandButton bench={bench} command="refresh" label={trans.__('Refresh')} />
        </div>
        <div role="status" className="fwl-quiet">
          {value &&
            (found.length === all.length
              ? trans._n('%1 study', '%1 studies', all.length)
              : trans.__('%1 of %2 studies', found.length, all.length))}
        </div>
      </div>
      {error && (
        <Problem
          bench={bench}
          error={error}
          again={() => void bench.studies.refresh()}
        />
      )}
      {!value && !error && <Waiting bench={bench} />}
      <div className="fwl-list" ref={list} onKeyDown={event => move(event, list.current)}>
        {grouped.map(group => (
          <section key={group.pillar} aria-label={words.pillarName(group.pillar, trans)}>
            <h2>
              {words.pillarName(group.pillar, trans)}{' '}
              <span className="fwl-quiet">{group.studies.length}</span>
            </h2>
            <ul>
              {group.studies.map(study => (
                <Item
                  key={study.name}
                  study={study}
                  bench={bench}
                  reachable={study === grouped[0].studies[0]}
                />
              ))}
            </ul>
          </section>
        ))}
        {value && !found.length && (
          <p className="fwl-quiet fwl-pad">
            {all.length
              ? trans.__('No study fits. Fewer words or another state find more.')
              : trans.__('No study is installed.')}
          </p>
        )}
      </div>
    </>
  );
}

function shown(bench: Bench): string[][] {
  const { trans } = bench;
  return [
    ['all', trans.__('All states')],
    ['never', trans.__('Never run')],
    ['current', trans.__('Done')],
    ['stale', trans.__('Stale')],
    ['failed', trans.__('Failed')],
    ['active', trans.__('Running or queued')]
  ];
}

function Choice(props: {
  label: string;
  value: string;
  options: string[][];
  onChange: (value: string) => void;
}): JSX.Element {
  return (
    <select
      className="fwl-input"
      aria-label={props.label}
      value={props.value}
      onChange={event => props.onChange(event.target.value)}
    >
      {props.options.map(([value, label]) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  );
}

const Item = React.memo(function Item(props: {
  study: IStudy;
  bench: Bench;
  reachable: boolean;
}): JSX.Element {
  const { study, bench, reachable } = props;
  const { state } = study;
  const more = state.status === 'running' ? words.percent(state.fraction) : '';
  return (
    <li>
      <button
        className="fwl-study"
        data-study={study.name}
        tabIndex={reachable ? 0 : -1}
        title={study.error ?? state.reason ?? study.title}
        onClick={() =>
          void bench.commands.execute(`${ID}:open-study`, { study: study.name })
        }
      >
        <span className="fwl-study-title">{study.title}</span>
        <span className="fwl-quiet">
          {[study.slug, study.arxiv].filter(Boolean).join(' · ')}
        </span>
        <span className="fwl-study-state">
          {study.error ? (
            <Sign sign={{ sign: '✖', word: bench.trans.__('unreadable'), tone: 'bad' }} />
          ) : (
            <Sign sign={words.stateSign(state.status, bench.trans)} more={more} />
          )}
          <Verdicts counts={state.counts} bench={bench} />
        </span>
      </button>
    </li>
  );
});

/** One stop of the Tab key for the whole list; arrows, Home and End move within it. */
function move(event: React.KeyboardEvent, list: HTMLElement | null): void {
  const items = buttons(list);
  const at = items.indexOf(event.target as HTMLButtonElement);
  const steps: { [key: string]: number } = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    Home: 0,
    End: items.length - 1
  };
  if (at < 0 || !(event.key in steps)) {
    return;
  }
  event.preventDefault();
  if (steps[event.key] < 0) {
    list?.parentElement?.querySelector('input')?.focus();
  } else {
    focusAt(list, Math.min(items.length - 1, steps[event.key]));
  }
}

function buttons(list: HTMLElement | null): HTMLButtonElement[] {
  return Array.from(list?.querySelectorAll<HTMLButtonElement>('.fwl-study') ?? []);
}

function focusAt(list: HTMLElement | null, index: number): void {
  const items = buttons(list);
  items.forEach((item, i) => item.setAttribute('tabindex', i === index ? '0' : '-1'));
  items[index]?.focus();
}
