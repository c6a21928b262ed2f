// Text from the network or from files, made safe for a terminal: no escape sequences, no line that overwrites another.

/** Control characters (Unicode category Cc) except tab and newline. */
const CONTROL = /[^\P{Cc}\t\n]/gu

/** The text with control characters shown as `?`. */
export function printable(text: string): string {
  return text.replace(CONTROL, '?')
}
