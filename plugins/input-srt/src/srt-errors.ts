// Errors of the input. Everything that the other end does can be temporary, so the engine retries it.
import { defineErrors } from '@millrace/engine/plugin'

export const srtError = defineErrors({
  SRT_TIMEOUT: {
    sentence: 'The sender did not answer within `connectTimeout`.',
    hint: 'Check the address, that the sender listens, and that no firewall drops UDP. A sender with several addresses must answer from the one that is called.',
    reaction: 'retry',
  },
  SRT_REJECTED: {
    sentence: 'The sender refused the call.',
    hint: 'The message has its reason: 1401 and 1403 are about access, 1404 about the name in `streamId`, 1409 about another one that is connected.',
    reaction: 'retry',
  },
  SRT_SECRET: {
    sentence: 'The sender refused the call because of the passphrase.',
    hint: 'Set `passphrase` to that of the sender, or leave it out if the sender has none.',
    reaction: 'retry',
  },
  SRT_UNREACHABLE: {
    sentence: 'The name of the sender cannot be resolved, or the call cannot be made.',
    hint: 'Check the spelling of `address` and the name server. A name is looked up as IPv4; write IPv6 as an address.',
    reaction: 'retry',
  },
  SRT_ENDED: {
    sentence: 'The sender closed the connection.',
    hint: 'A live stream does not end: the sender may have been restarted, or may have found the connection idle.',
    reaction: 'retry',
  },
  SRT_SILENT: {
    sentence: 'Nothing came from the sender for `readTimeout`.',
    hint: 'Check the network between here and the sender, and that the sender still runs.',
    reaction: 'retry',
  },
  SRT_NO_PACKETS: {
    sentence: 'The sender is connected, but sent no transport stream packets for `readTimeout`, or null packets alone.',
    hint: 'Check the encoder behind the sender: its stream has stopped, or is something else.',
    reaction: 'retry',
  },
  SRT_BROKEN: {
    sentence: 'The connection broke: its data could not be decrypted, or another one took its place.',
    hint: 'Check that the passphrase is the same on both sides, and that only one input calls with this `streamId`.',
    reaction: 'retry',
  },
  SRT_NO_STREAMS: {
    sentence: 'The input listens for streams, and does not say which ones it takes.',
    hint: 'Add `streams: "*"` for any name, or `streams: NAME` for one; or set `mode: caller`.',
    reaction: 'config',
  },
  SRT_NOT_LISTENING: {
    sentence: 'The input calls a sender, and cannot take published streams.',
    hint: 'Remove `streams`, or set `mode: listener` and `listener`.',
    reaction: 'config',
  },
})

export type SrtErrorCode = keyof typeof srtError.table
