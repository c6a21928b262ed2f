// A command line for the status. The engine masks secrets in it, as they are and as JSON writes them: so quotes change
// nothing else.

/** Longer ones are cut between two arguments: half of a secret would not be masked. */
const LONGEST = 16_384

export function shownCommand(command: readonly string[]): string {
  const parts: string[] = []
  let length = 0
  for (const text of command.map(quoted)) {
    length += text.length + 1
    if (length > LONGEST) return [...parts, '...'].join(' ')
    parts.push(text)
  }
  return parts.join(' ')
}

/** Quoted so that its parts can be told apart. */
function quoted(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text
  return text.includes("'") ? JSON.stringify(text) : `'${text}'`
}
