/** Which studies a person is looking for. */

import { IStudy } from './types';

export type Show = 'all' | 'never' | 'current' | 'stale' | 'failed' | 'active';

export interface IQuery {
  text: string;
  show: Show;
  pillar: string;
}

export const EVERYTHING: IQuery = { text: '', show: 'all', pillar: '' };

const FAILED = ['failed', 'out of memory', 'died', 'stopped'];
const kept = new WeakMap<IStudy, string>();

function plain(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase();
}

/** All that a search looks at: title, slug, number, methods and data sets, claims, reported numbers. */
export function haystack(study: IStudy): string {
  let text = kept.get(study);
  if (text === undefined) {
    text = plain(
      [
        study.title,
        study.slug,
        study.source,
        study.pillar,
        ...study.words,
        ...study.data.map(need => need.name),
        ...study.claims.map(claim => `${claim.id} ${claim.statement}`),
        ...study.reported.map(number => `${number.metric} ${number.dataset}`)
      ].join('\n')
    );
    kept.set(study, text);
  }
  return text;
}

export function shows(status: string, show: Show): boolean {
  switch (show) {
    case 'never':
      return status === 'never run';
    case 'current':
      return status === 'done';
    case 'stale':
      return status === 'stale';
    case 'failed':
      return FAILED.includes(status);
    case 'active':
      return status === 'queued' || status === 'running';
    default:
      return true;
  }
}

/** Studies in which every word of the query is found; order is kept. */
export function find(studies: readonly IStudy[], query: IQuery): IStudy[] {
  const words = plain(query.text).split(/\s+/).filter(Boolean);
  return studies.filter(
    study =>
      (!query.pillar || study.pillar === query.pillar) &&
      shows(study.state.status, query.show) &&
      words.every(word => haystack(study).includes(word))
  );
}

/** Studies by pillar, in the order of the server; those of no known pillar last. */
export function groups(
  studies: readonly IStudy[],
  pillars: readonly string[]
): { pillar: string; studies: IStudy[] }[] {
  const names = [...pillars];
  for (const study of studies) {
    if (!names.includes(study.pillar)) {
      names.push(study.pillar);
    }
  }
  return names
    .map(pillar => ({
      pillar,
      studies: studies.filter(study => study.pillar === pillar)
    }))
    .filter(group => group.studies.length > 0);
}
