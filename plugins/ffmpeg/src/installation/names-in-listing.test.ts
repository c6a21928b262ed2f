import assert from 'node:assert/strict'
import { test } from 'node:test'
import { namesInListing } from './names-in-listing.js'
import { isOldVersion, readVersion } from './read-version.js'

const ENCODERS = `Encoders:
 V..... = Video
 .F.... = Frame-level multithreading
 ------
 V....D libx264              libx264 H.264 / AVC (codec h264)
 VFS..D mpeg2video           MPEG-2 video
 A....D aac                  AAC (Advanced Audio Coding)
`
const FILTERS = `Filters:
  T.. = Timeline support
  | = Source or sink filter
 ... abench            A->A       Benchmark part of a filtergraph.
 TSC yadif             V->V       Deinterlace the input image.
`
const DEMUXERS = `File formats:
 D. = Demuxing supported
 --
 D  matroska,webm   Matroska / WebM
 D  mov,mp4,m4a,3gp,3g2,mj2 QuickTime / MOV
 D d lavfi           Libavfilter virtual input device
`

for (const [name, text, names] of [
  ['encoders', ENCODERS, ['libx264', 'mpeg2video', 'aac']],
  ['filters', FILTERS, ['abench', 'yadif']],
  ['demuxers', DEMUXERS, ['matroska', 'webm', 'mov', 'mp4', 'm4a', '3gp', '3g2', 'mj2', 'lavfi']],
  ['nothing', '', []],
  ['something else', 'sh: 1: Syntax error: "(" unexpected\n', []],
] as const) {
  test(`finds the names in a list of ${name}`, () => assert.deepEqual([...namesInListing(text)], names))
}

for (const [text, version, isOld] of [
  ['ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000-2026', '5.1.9-0+deb12u1', false],
  ['ffmpeg version n7.1 Copyright', 'n7.1', false],
  ['ffmpeg version 4.1-static https://x Copyright', '4.1-static', true],
  ['ffmpeg version N-45325-gb173e0353-static', 'N-45325-gb173e0353-static', false],
  ['avconv version 12', undefined, false],
] as const) {
  test(`reads the version in "${text}"`, () => {
    assert.equal(readVersion(text), version)
    if (version !== undefined) assert.equal(isOldVersion(version), isOld)
  })
}
