/** Notebooks that the bench writes. */

const PICTURE = /\.(png|jpe?g|webp|bmp|tiff?)$/i;
const MOST = 8;

export function isPicture(name: string): boolean {
  return PICTURE.test(name);
}

/**
 * The source of cells that verify pictures, the first against each of the others.
 *
 * Names become Python strings by way of JSON: JSON's escapes, with everything beyond ASCII written as `\uXXXX`, are
 * Python's, too. A half of a surrogate pair stays a pair, which Python would keep apart; such names are written as
 * `\UXXXXXXXX`.
 */
export function verifyCells(names: readonly string[]): string[] {
  const shown = names.slice(0, MOST).map(quoted);
  const [first, ...others] = shown;
  const head = 'from workbench.widgets import Verify\n\n';
  const calls = others.length
    ? others.map(other => `Verify(${first}, ${other})`)
    : [`Verify(${first})`];
  return calls.map((call, i) => (i ? call : head + call));
}

export function quoted(text: string): string {
  const ascii = Array.from(JSON.stringify(text), letter => {
    const point = letter.codePointAt(0) as number;
    if (point < 0x7f) {
      return letter;
    }
    return point > 0xffff
      ? `\\U${point.toString(16).padStart(8, '0')}`
      : `\\u${point.toString(16).padStart(4, '0')}`;
  });
  return ascii.join('');
}

/** A notebook with these cells, as the contents manager takes it. */
export function notebook(cells: readonly string[]): any {
  return {
    cells: cells.map(source => ({
      cell_type: 'code',
      execution_count: null,
      metadata: {},
      outputs: [],
      source
    })),
    metadata: {
      kernelspec: { display_name: 'Python 3', language: 'python', name: 'python3' }
    },
    nbformat: 4,
    nbformat_minor: 4
  };
}

/**
 * The page of a report for `<iframe sandbox srcdoc>`.
 *
 * A page given this way has no headers, so what the server says in them is said again in front: no script, nothing
 * from outside. The base makes links within the page stay in it.
 */
export function sandboxed(page: string): string {
  const policy =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; form-action 'none'";
  return (
    '<!doctype html><base href="about:srcdoc">' +
    `<meta http-equiv="Content-Security-Policy" content="${policy}">${page}`
  );
}
