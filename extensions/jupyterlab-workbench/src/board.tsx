/** The board: every study, its state and the verdict on every claim. */

import * as React from 'react';
import { Bench } from './bench';
import { CommandButton, Problem, Sign, Table, Waiting, useAsked } from './parts';
import { IBoard } from './types';
import * as words from './words';

type Row = IBoard['studies'][number];

export function BoardView(props: { bench: Bench }): JSX.Element {
  const { bench } = props;
  const { trans } = bench;
  const { value, error, again } = useAsked(() => bench.api.board(), []);
  React.useEffect(() => {
    const look = () => again();
    bench.studies.changed.connect(look);
    return () => {
      bench.studies.changed.disconnect(look);
    };
  }, []);
  if (!value) {
    return error ? (
      <Problem bench={bench} error={error} again={again} />
    ) : (
      <Waiting bench={bench} />
    );
  }
  const pillars = [...new Set(value.studies.map(study => study.pillar))];
  return (
    <div className="fwl-page">
      <header>
        <h1>{trans.__('Board')}</h1>
        <p>
          {trans._n('%1 study', '%1 studies', value.studies.length)}
          {Object.keys(value.counts).length > 0 &&
            ` · ${words.summary(value.counts, trans)}`}
        </p>
        <div className="fwl-row fwl-wrap">
          {Object.entries(value.statuses).map(([status, n]) => {
            const sign = words.stateSign(status, trans);
            return <Sign key={status} sign={{ ...sign, word: `${n} ${sign.word}` }} />;
          })}
          <CommandButton bench={bench} command="refresh" />
        </div>
      </header>
      {pillars.map(pillar => {
        const name = words.pillarName(pillar, trans);
        return (
          <section key={pillar}>
            <h2>{name}</h2>
            <Table
              label={name}
              head={[
                trans.__('Study'),
                trans.__('State'),
                trans.__('Verdicts'),
                trans.__('Latest')
              ]}
            >
              {value.studies
                .filter(study => study.pillar === pillar)
                .map(study => (
                  <Study key={study.name} bench={bench} study={study} />
                ))}
            </Table>
          </section>
        );
      })}
    </div>
  );
}

function Study(props: { bench: Bench; study: Row }): JSX.Element {
  const { bench, study } = props;
  const { trans } = bench;
  const { state } = study;
  const answers = new Map(state.verdicts.map(v => [v.claim, v.answer]));
  const statements = new Map(study.claims.map(c => [c.id, c.statement]));
  const claims = [...new Set([...statements.keys(), ...answers.keys()])];
  return (
    <tr>
      <th scope="row">
        <CommandButton
          bench={bench}
          command="open-study"
          args={{ study: study.name }}
          label={study.slug}
        />
        <div className="fwl-quiet fwl-statement">{study.title}</div>
      </th>
      <td>
        <Sign sign={words.stateSign(state.status, trans)} />
        {state.reason && <div className="fwl-quiet">{state.reason}</div>}
      </td>
      <td>
        <ul className="fwl-chips">
          {claims.map(claim => {
            const answer = answers.get(claim);
            const sign: words.ISign = answer
              ? words.answerSign(answer, trans)
              : { sign: '○', word: trans.__('no verdict yet'), tone: 'quiet' };
            return (
              <li
                key={claim}
                className={`fwl-mod-${sign.tone}`}
                title={`${claim}, ${sign.word}: ${statements.get(claim) ?? ''}`}
              >
                <span aria-hidden="true">{sign.sign}</span> {claim}
                <span className="fwl-hidden"> {sign.word}</span>
              </li>
            );
          })}
        </ul>
      </td>
      <td>{words.moment(state.at)}</td>
    </tr>
  );
}
