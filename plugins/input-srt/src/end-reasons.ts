// Why the connection of a sender has ended, in words.
import type { EndReason } from '@millrace/srt'

/** Those that a sender or its network is at fault for; undefined for an ordinary end. */
const FAULTS: Readonly<Partial<Record<EndReason, string>>> = {
  idle: 'nothing came from it any more, not even a goodbye',
  undecryptable: 'its packets could not be decrypted: its key does not fit',
  clock: 'the times of its packets lay too far ahead: its clock has jumped',
  'key-unconfirmed': 'it has never confirmed a new key',
}

/** Undefined if the sender, or the engine, has closed it. */
export function faultOf(reason: EndReason): string | undefined {
  return FAULTS[reason]
}
