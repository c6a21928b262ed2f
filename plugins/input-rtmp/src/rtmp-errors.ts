// Errors of the input. Everything that a server does can be temporary, so the engine retries it.
import { defineErrors } from '@millrace/engine/plugin'

export const rtmpError = defineErrors({
  RTMP_UNREACHABLE: {
    sentence: 'The server could not be reached.',
    hint: 'Check that the server is running, that the URL is right, and that no firewall blocks it. For rtmps, see `tls`.',
    reaction: 'retry',
  },
  RTMP_TIMEOUT: {
    sentence: 'The server did not answer in time.',
    hint: 'Check that something that speaks RTMP listens there, or raise `connectTimeout`.',
    reaction: 'retry',
  },
  RTMP_REJECTED: {
    sentence: 'The server refused the call.',
    hint: 'Check app, name and credentials in the URL, and the log of the server.',
    reaction: 'retry',
  },
  RTMP_NOT_FOUND: {
    sentence: 'The server has no such stream.',
    hint: 'Check app and name in the URL, and whether somebody publishes the stream.',
    reaction: 'retry',
  },
  RTMP_PROTOCOL: {
    sentence: 'The server speaks no RTMP, or breaks its rules.',
    hint: 'Check the port: HTTP and RTMP are often on the same host.',
    reaction: 'retry',
  },
  RTMP_SILENT: {
    sentence: 'No media arrived for `readTimeout`.',
    hint: 'Check whether the server itself still has the stream, or raise `readTimeout`.',
    reaction: 'retry',
  },
  RTMP_NO_PACKETS: {
    sentence: 'Messages arrived for `readTimeout`, but no audio or video that a transport stream carries.',
    hint: 'The log names codecs that were refused; check the encoder behind the server.',
    reaction: 'retry',
  },
  RTMP_ENDED: {
    sentence: 'The stream has ended at its sender.',
    hint: 'The sender may have been restarted. If that happens often, look at its log.',
    reaction: 'retry',
  },
  RTMP_BROKEN: {
    sentence: 'The connection was lost in the middle of the stream.',
    hint: 'Check the network in between, and the log of the other end.',
    reaction: 'retry',
  },
  RTMP_IDLE: {
    sentence: 'A publisher has sent no media for `idle`, and was disconnected.',
    hint: 'Its encoder is connected, and sends nothing: look there. Raise `idle` if that is meant.',
    reaction: 'retry',
  },
  RTMP_CA: {
    sentence: 'The file in `tls.ca` cannot be read, or contains no certificate.',
    hint: 'Give a PEM file (`-----BEGIN CERTIFICATE-----`) that the user running the engine can read.',
    reaction: 'config',
  },
  RTMP_NO_STREAMS: {
    sentence: 'The input listens for streams, and does not say which ones it takes.',
    hint: 'Add `streams: "*"` for any key, or `streams: NAME` for one; or set `mode: pull`.',
    reaction: 'config',
  },
  RTMP_NOT_LISTENING: {
    sentence: 'The input plays from a server, and cannot take published streams.',
    hint: 'Remove `streams`, or set `mode: listen` and `listener`.',
    reaction: 'config',
  },
})

export type RtmpInputErrorCode = keyof typeof rtmpError.table
