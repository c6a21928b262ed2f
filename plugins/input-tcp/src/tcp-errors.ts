// Errors of the input and of the listener. Everything that an upstream does can be temporary, so the engine retries it.
import { defineErrors } from '@millrace/engine/plugin'

export const tcpError = defineErrors({
  TCP_CONNECT: {
    sentence: 'The upstream could not be reached.',
    hint: 'Check that the upstream is running, that its host and port are right, and that no firewall blocks them.',
    reaction: 'retry',
  },
  TCP_TIMEOUT: {
    sentence: 'The upstream did not accept a connection within `connectTimeout`.',
    hint: 'Check the address. If the upstream is far away or overloaded, raise `connectTimeout`.',
    reaction: 'retry',
  },
  TCP_TLS: {
    sentence: 'The upstream does not speak TLS, or its certificate is not trusted.',
    hint: 'Renew the certificate, or set `tls.ca` to the authority that signed it. `tls.insecure` accepts any certificate.',
    reaction: 'retry',
  },
  TCP_SILENT: {
    sentence: 'No byte arrived for `readTimeout`, or less than one packet in twice that time.',
    hint: 'Check that the sender itself still has a stream, or raise `readTimeout`.',
    reaction: 'retry',
  },
  TCP_NO_PACKETS: {
    sentence: 'Bytes arrived for `readTimeout`, but no packets among them, or null packets alone.',
    hint: 'Check the encoder behind the upstream: its stream has stopped, or has become something else.',
    reaction: 'retry',
  },
  TCP_BROKEN: {
    sentence: 'The connection was lost in the middle of the stream.',
    hint: 'Check the log of the sender, and the network in between.',
    reaction: 'retry',
  },
  TCP_ENDED: {
    sentence: 'The upstream ended the stream.',
    hint: 'A live stream does not end: the upstream may send a file, or may have been restarted.',
    reaction: 'retry',
  },
  TCP_CA: {
    sentence: 'The file in `tls.ca` cannot be read, or contains no certificate.',
    hint: 'Give a PEM file (`-----BEGIN CERTIFICATE-----`) that the user running the engine can read.',
    reaction: 'config',
  },
  TCP_NO_STREAMS: {
    sentence: 'The input listens for streams, and does not say which ones it takes.',
    hint: 'Add `streams: "*"` for any key, or `streams: NAME` for one; or set `mode: connect`.',
    reaction: 'config',
  },
  TCP_NOT_LISTENING: {
    sentence: 'The input connects to an upstream, and cannot take published streams.',
    hint: 'Remove `streams`, or set `mode: listen` and `listener`.',
    reaction: 'config',
  },
})

export type TcpErrorCode = keyof typeof tcpError.table
