import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usualWindowBytes } from '../plugin/usual-window-bytes.js'
import { SharedWindow } from './shared-window.js'

const MIB = 1024 * 1024

// The figure of `engine check`, beside the engine's own count of what a window holds.
for (const { title, durationMs, sizeBytes, bitsPerSecond, batchMs = 50 } of [
  { title: 'as configured by default', durationMs: 10_000, sizeBytes: 64 * MIB, bitsPerSecond: 5e6 },
  { title: 'of a thin stream', durationMs: 10_000, sizeBytes: 64 * MIB, bitsPerSecond: 2e5 },
  { title: 'of a thick stream, which fills it', durationMs: 30_000, sizeBytes: 16 * MIB, bitsPerSecond: 4e7 },
  { title: 'of large batches', durationMs: 5000, sizeBytes: 64 * MIB, bitsPerSecond: 8e6, batchMs: 500 },
  { title: 'that is short', durationMs: 1000, sizeBytes: 64 * MIB, bitsPerSecond: 5e6 },
]) {
  test(`a window ${title} takes what is said of it, within a factor of three`, () => {
    const window = new SharedWindow({ durationMs, sizeBytes })
    const batch = new Uint8Array(Math.round((bitsPerSecond / 8000) * batchMs))
    for (let atMs = 0; atMs < 3 * durationMs; atMs += batchMs) window.push(batch, atMs)
    const usual = usualWindowBytes({ durationMs, sizeBytes }, bitsPerSecond)
    const held = window.retainedBytes
    assert.ok(usual <= sizeBytes && usual < 3 * held && held < 3 * usual, `${usual} said, ${held} held`)
  })
}
