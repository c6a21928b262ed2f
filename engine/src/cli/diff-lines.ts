// The difference of two texts, as `diff -u` shows it.

const CONTEXT = 3
/** Entries in the table of common lines; texts that need more are shown in full, one after the other. */
const LARGEST_TABLE = 4_000_000

interface Edit {
  readonly mark: ' ' | '-' | '+'
  readonly line: string
}

/** Lines prefixed with ` `, `-` or `+`, in hunks that begin with `@@ -line +line @@`. Empty if the texts are equal. */
export function diffLines(before: string, after: string): readonly string[] {
  const edits = editsOf(linesOf(before), linesOf(after))
  const shown = edits.map((_, index) =>
    edits.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(({ mark }) => mark !== ' '),
  )
  const out: string[] = []
  let [oldLine, newLine] = [1, 1]
  edits.forEach(({ mark, line }, index) => {
    if (shown[index] === true) {
      if (shown[index - 1] !== true) out.push(`@@ -${oldLine} +${newLine} @@`)
      out.push(mark + line)
    }
    if (mark !== '+') oldLine++
    if (mark !== '-') newLine++
  })
  return out
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n')
}

function editsOf(before: readonly string[], after: readonly string[]): readonly Edit[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let end = 0
  const most = Math.min(before.length, after.length) - start
  while (end < most && before[before.length - 1 - end] === after[after.length - 1 - end]) end++
  const same = (lines: readonly string[]): readonly Edit[] => lines.map((line) => ({ mark: ' ', line }))
  return [
    ...same(before.slice(0, start)),
    ...middleOf(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...same(end === 0 ? [] : before.slice(-end)),
  ]
}

/** By the longest common subsequence. */
function middleOf(before: readonly string[], after: readonly string[]): readonly Edit[] {
  const width = after.length + 1
  if ((before.length + 1) * width > LARGEST_TABLE) {
    return [
      ...before.map((line) => ({ mark: '-', line }) as const),
      ...after.map((line) => ({ mark: '+', line }) as const),
    ]
  }
  const common = new Uint32Array((before.length + 1) * width)
  const at = (row: number, column: number): number => common[row * width + column] ?? 0
  for (let row = before.length - 1; row >= 0; row--) {
    for (let column = after.length - 1; column >= 0; column--) {
      const isSame = before[row] === after[column]
      common[row * width + column] = isSame
        ? at(row + 1, column + 1) + 1
        : Math.max(at(row + 1, column), at(row, column + 1))
    }
  }
  const edits: Edit[] = []
  let [row, column] = [0, 0]
  while (row < before.length || column < after.length) {
    const [old = '', next = ''] = [before[row], after[column]]
    if (row < before.length && column < after.length && old === next) {
      edits.push({ mark: ' ', line: old })
      row++
      column++
    } else if (row < before.length && (column === after.length || at(row + 1, column) >= at(row, column + 1))) {
      edits.push({ mark: '-', line: old })
      row++
    } else {
      edits.push({ mark: '+', line: next })
      column++
    }
  }
  return edits
}
