// What a server lists at the moment.
import assert from 'node:assert/strict'
import { httpRequest } from '../../e2e/kit/http-request.js'

export interface MediaList {
  readonly url: string
  readonly target: number
  readonly segments: number
}

/** The first media playlist of a multivariant one. */
export async function listOf(url: string): Promise<MediaList> {
  const { text } = await httpRequest(url)
  const uri = text.split('\n').find((line) => line.endsWith('.m3u8')) ?? assert.fail('no playlist')
  const mediaUrl = new URL(uri, url).href
  const media = (await httpRequest(mediaUrl)).text
  return {
    url: mediaUrl,
    target: Number(/TARGETDURATION:(\d+)/.exec(media)?.[1]),
    segments: media.split('\n').filter((line) => line.endsWith('.ts')).length,
  }
}
