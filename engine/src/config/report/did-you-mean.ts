// The help for an unknown word: the nearest known one.

/** Words to compare with; a longer list is not one that a person chooses from. */
const MOST_WORDS = 500
const LONGEST_WORD = 64
const MOST_LISTED = 12

/** `did you mean "main"?`, else the list of known words, else undefined. */
export function didYouMean(word: string, known: readonly string[], listTitle: string): string | undefined {
  const near = nearestWord(word, known)
  if (near !== undefined) return `did you mean "${near}"?`
  if (known.length === 0) return undefined
  const more = known.length > MOST_LISTED ? ', ...' : ''
  return `${listTitle}: ${known.slice(0, MOST_LISTED).join(', ')}${more}`
}

/** The known word that a person most likely meant; undefined if none is near. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  if (word.length > LONGEST_WORD) return undefined
  const bound = Math.max(1, Math.floor(word.length / 3))
  let best: { word: string; distance: number } | undefined
  for (const candidate of known.slice(0, MOST_WORDS)) {
    if (Math.abs(candidate.length - word.length) > bound) continue
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance <= bound && distance < (best?.distance ?? Infinity)) best = { word: candidate, distance }
  }
  return best?.word
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const steps = [(last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost]
      row.push(Math.min(...steps, isSwap ? (beforeLast[j - 2] ?? 0) + 1 : Infinity))
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}
