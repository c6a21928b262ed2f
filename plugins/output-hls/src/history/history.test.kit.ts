// For tests of what is kept behind the window: a paced stream, the long playlists and their files, and a disk that fails.
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import type { KeptMedia, MediaFolder } from '@millrace/engine/plugin'
import { readPlaylist, type ReadPlaylist } from '../playlist/read-playlist.test.kit.js'
import { paced, type PresentationBench, type TimedChunk } from '../presentation.test.kit.js'
import type { TextVersion } from '../serve/playlist-text.js'

export function stream(fromMs: number, durationS: number): TimedChunk[] {
  return paced(
    { durationS, startPts90k: (900_000 + fromMs * 90) % 2 ** 33, video: { gopFrames: 10, fps: 5 }, audio: [] },
    { fromMs },
  )
}

export function longList(bench: PresentationBench, kind: 'media' | 'iframes' = 'media'): ReadPlaylist {
  return readPlaylist(longText(bench, kind))
}

export function longText(bench: PresentationBench, kind: 'media' | 'iframes' = 'media'): string {
  const uri = bench.presentation.longUri(kind, 'main') ?? assert.fail('there is no long playlist')
  const found = bench.presentation.playlist(uri) ?? assert.fail(`${uri} is not there`)
  assert.deepEqual(gunzipSync(zippedNow(found)), found.plain)
  return found.text
}

/** What is short, or zipped in blocks, need not be waited for. */
function zippedNow(found: TextVersion): Buffer {
  const zipped = found.zip()
  return zipped instanceof Promise ? assert.fail('it is zipped later') : zipped
}

export async function bytesOf(bench: PresentationBench, uri: string): Promise<Buffer> {
  const { kept } = bench.presentation.file(uri) ?? assert.fail(`${uri} is listed, but not there`)
  const stream = new PassThrough({ highWaterMark: 1 << 24 })
  assert.equal(await kept.sendTo(stream), true, uri)
  const bytes = stream.read() as Buffer
  assert.equal(bytes.length, kept.length)
  return bytes
}

/** All segments that are listed are there, whole. */
export async function checkFiles(bench: PresentationBench, { segments }: ReadPlaylist): Promise<void> {
  for (const { uri, isGap } of segments) {
    if (isGap) assert.equal(bench.presentation.file(uri), undefined)
    else assert.equal((await bytesOf(bench, uri))[0], 0x47)
  }
}

/** A disk that a test makes refuse what is written. */
export class SickFolder implements MediaFolder {
  problem: string | undefined
  readonly #folder: MediaFolder

  constructor(folder: MediaFolder) {
    this.#folder = folder
  }

  get path(): string {
    return this.#folder.path
  }

  list(folder?: string): Promise<readonly string[]> {
    return this.#folder.list(folder)
  }

  size(name: string): Promise<number | undefined> {
    return this.#folder.size(name)
  }

  async write(name: string, media: KeptMedia): Promise<void> {
    this.#check()
    return this.#folder.write(name, media)
  }

  async adopt(name: string, from: MediaFolder): Promise<void> {
    this.#check()
    return this.#folder.adopt(name, from)
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    this.#check()
    return this.#folder.append(name, bytes)
  }

  read(name: string, from: number, length: number): Promise<Uint8Array> {
    return this.#folder.read(name, from, length)
  }

  media(name: string, length: number): KeptMedia {
    return this.#folder.media(name, length)
  }

  remove(name: string): Promise<void> {
    return this.#folder.remove(name)
  }

  #check(): void {
    if (this.problem !== undefined) throw new Error(this.problem)
  }
}
