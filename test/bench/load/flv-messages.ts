// A made-up stream of H.264 and AAC as RTMP messages, as an encoder sends it.
import { buildTs } from '@millrace/engine/testing'
import { FlvWriter } from '@millrace/media/flv'
import { Framer } from '@millrace/media/mpegts'
import { TsDemuxer } from '@millrace/media/mpegts/demux'
import { MediaMessage } from '@millrace/rtmp'

const READ_BYTES = 65_536

export function listMessages(durationS: number, videoBitrate: number): MediaMessage[] {
  const { bytes } = buildTs({ durationS, video: { codec: 'h264', gopFrames: 50, bitrate: videoBitrate } })
  const messages: MediaMessage[] = []
  const demuxer = new TsDemuxer()
  const writer = new FlvWriter({
    tag: ({ type, timestampMs, bytes: all, start, end, isConfig, isRandomAccess }) => {
      const worth = isConfig ? 'headers' : type === 8 ? 'audio' : isRandomAccess ? 'key' : 'inter'
      messages.push(new MediaMessage(type as 8 | 9, worth, timestampMs, all.slice(start, end)))
    },
    leftOut: () => undefined,
  })
  demuxer.attach(writer)
  const framer = new Framer({})
  for (let at = 0; at < bytes.length; at += READ_BYTES) {
    for (const chunk of framer.push(bytes.subarray(at, at + READ_BYTES), at)) demuxer.push(chunk)
  }
  writer.flush()
  return messages
}
