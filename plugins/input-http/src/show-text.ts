// Text of an upstream, made safe to show: shortened, quoted, and without control characters.
import { cutText } from '@millrace/engine/plugin'

const MAX_SHOWN_LENGTH = 60

/** `text` is Latin-1, as in heads. */
export function showText(text: string, longest = MAX_SHOWN_LENGTH): string {
  return JSON.stringify(plainText(text, longest))
}

/** The same without quotes. Made plain before it is cut: the mark of a cut is no character of the upstream. */
export function plainText(text: string, longest = MAX_SHOWN_LENGTH): string {
  return cutText(text.replaceAll(/[^ -~]+/g, '?').trim(), longest)
}
