// Why a node is in its state, from anything that its plugin gives as a reason.
import { messageOf } from '../../errors.js'
import { cutText } from '../../plugin/cut-text.js'

/** Masked before it is cut, so that no part of a secret is left. Never throws. */
export function reasonText(reason: unknown, mask: (text: string) => string): string {
  return cutText(mask(messageOf(reason)))
}
