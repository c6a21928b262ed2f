// What an edit changed in a text: removed and added lines.

/** For reports, by longest common subsequence; unchanged lines are left out. */
export function diffLines(before: string, after: string): string {
  const old = before.split('\n')
  const new_ = after.split('\n')
  const lengths = commonLengths(old, new_)
  const lines: string[] = []
  let [a, b] = [0, 0]
  while (a < old.length || b < new_.length) {
    if (a < old.length && old[a] === new_[b]) {
      a++
      b++
    } else if (b >= new_.length || (a < old.length && at(lengths, a + 1, b) >= at(lengths, a, b + 1))) {
      lines.push(`- ${cut(old[a++])}`)
    } else lines.push(`+ ${cut(new_[b++])}`)
  }
  return lines.join('\n')
}

function at(lengths: readonly (readonly number[])[], a: number, b: number): number {
  return lengths[a]?.[b] ?? 0
}

function cut(line = ''): string {
  return line.length > 300 ? `${line.slice(0, 300)}... (${line.length} characters)` : line
}

/** Length of the longest common subsequence after each pair of positions. */
function commonLengths(old: readonly string[], new_: readonly string[]): number[][] {
  const lengths = Array.from({ length: old.length + 1 }, () => Array.from({ length: new_.length + 1 }, () => 0))
  for (let a = old.length - 1; a >= 0; a--) {
    for (let b = new_.length - 1; b >= 0; b--) {
      const row = lengths[a]
      if (row === undefined) continue
      row[b] =
        old[a] === new_[b] ? at(lengths, a + 1, b + 1) + 1 : Math.max(at(lengths, a + 1, b), at(lengths, a, b + 1))
    }
  }
  return lengths
}
