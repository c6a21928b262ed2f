// Texts that plugins and peers choose can have any length; they are kept, logged and sent to every reader. Where a text is
// cut, secrets in it may be, too: the mark lets a mask find what is left of them.

/** In characters. */
export const MAX_TEXT = 1024
/** Ends a text that was cut. */
export const CUT_MARK = '…'

/** At most `most` characters, and a mark if there were more. */
export function cutText(text: string, most = MAX_TEXT): string {
  return text.length > most ? `${text.slice(0, most)}${CUT_MARK}` : text
}
