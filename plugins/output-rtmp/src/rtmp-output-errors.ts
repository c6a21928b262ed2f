// What goes wrong while the output publishes to a server. A server can change its mind, so the output calls again.
import { defineErrors } from '@millrace/engine/plugin'

export const rtmpOutputError = defineErrors({
  RTMP_PUSH_UNREACHABLE: {
    sentence: 'The server that the output publishes to could not be reached.',
    hint: 'Check that the server is running, that `url` is right, and that no firewall blocks it. For rtmps, see `tls`.',
    reaction: 'retry',
  },
  RTMP_PUSH_TIMEOUT: {
    sentence: 'The server that the output publishes to did not answer in time, or takes nothing any more.',
    hint: 'Check that something that speaks RTMP listens there, and whether the network carries the bit rate of the stream.',
    reaction: 'retry',
  },
  RTMP_PUSH_NAME_TAKEN: {
    sentence: 'Somebody publishes to the server under this name already.',
    hint: 'End the other publisher, or give each its own key. A server may need a while to notice that a connection is gone.',
    reaction: 'retry',
  },
  RTMP_PUSH_REJECTED: {
    sentence: 'The server refused the stream.',
    hint: 'Check app, key and credentials in `url`, whether the key is still valid, and the log of the server.',
    reaction: 'retry',
  },
  RTMP_PUSH_PROTOCOL: {
    sentence: 'The server that the output publishes to speaks no RTMP, or breaks its rules.',
    hint: 'Check the port: HTTP and RTMP are often on the same host; `rtmps://` needs a port with TLS.',
    reaction: 'retry',
  },
  RTMP_PUSH_LOST: {
    sentence: 'The connection to the server was lost in the middle of the stream.',
    hint: 'Check the network in between, and the log of the server: some end streams whose codec or bit rate they do not accept.',
    reaction: 'retry',
  },
  RTMP_PUSH_CA: {
    sentence: 'The file in `tls.ca` cannot be read, or contains no certificate.',
    hint: 'Give a PEM file (`-----BEGIN CERTIFICATE-----`) that the user running the engine can read.',
    reaction: 'config',
  },
})

export type RtmpOutputErrorCode = keyof typeof rtmpOutputError.table
