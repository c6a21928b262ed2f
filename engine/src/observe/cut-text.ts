// Texts that plugins choose can have any length; they are kept, logged and sent to every reader.

/** In characters. */
export const MAX_TEXT = 1024

/** At most `most` characters, and a mark if there were more. */
export function cutText(text: string, most = MAX_TEXT): string {
  return text.length > most ? `${text.slice(0, most)}…` : text
}
