// Blanks at the ends of text in which each character is one byte.

const SPACE = 0x20

/** Without blanks at its ends. `trim` would also take the byte A0, with which letters of UTF-8 end. */
export function trimBlanks(text: string): string {
  let from = 0
  let end = text.length
  while (from < end && text.charCodeAt(from) <= SPACE) from++
  while (end > from && text.charCodeAt(end - 1) <= SPACE) end--
  return text.slice(from, end)
}
