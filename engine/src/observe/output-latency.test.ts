import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DELAY_BOUNDS_SECONDS, Histogram } from './histogram.js'
import { MetricsRegistry } from './metrics-registry.js'
import { OutputLatency } from './output-latency.js'

describe('the latency of all outputs', () => {
  const registry = new MetricsRegistry()
  const outputs = ['a', 'b'].map((node) => {
    const histogram = new Histogram(DELAY_BOUNDS_SECONDS)
    const series = registry.addHistogram('output_latency_seconds', 'help', { node }, histogram)
    return { histogram, series }
  })
  let nowMs = 0
  const latency = new OutputLatency(registry, { nowMs: () => nowMs })
  const observe = (output: number, seconds: number, times: number): void => {
    for (let count = 0; count < times; count++) outputs[output]?.histogram.observe(seconds)
  }

  test('is what 99 of 100 stay below, over all outputs, and unknown while nothing is passed on', () => {
    observe(0, 9, 1000)
    assert.equal(latency.seconds, undefined)
    observe(0, 0.0009, 980)
    observe(1, 0.2, 20)
    // The slowest 20 of 1000 took 0.1 to 0.25 s: half of them are above the 99th percentile.
    assert.ok(Math.abs((latency.seconds ?? 0) - 0.175) < 1e-9)
  })

  test('leaves out outputs that pass data on by the segment', () => {
    const hls = new Histogram(DELAY_BOUNDS_SECONDS)
    using _ = registry.addHistogram('output_latency_seconds', 'help', { node: 'c', type: 'hls' }, hls)
    const before = latency.seconds
    for (let count = 0; count < 5000; count++) hls.observe(2)
    assert.equal(latency.seconds, before)
  })

  test('forgets what is older than 20 s', () => {
    nowMs = 10_000
    assert.notEqual(latency.seconds, undefined)
    nowMs = 20_000
    observe(0, 0.0009, 10)
    assert.ok((latency.seconds ?? Infinity) <= 0.001)
  })

  test('begins anew after a pause of its readers, and survives outputs that go', () => {
    nowMs = 100_000
    observe(1, 4, 50)
    assert.equal(latency.seconds, undefined)
    outputs[0]?.series[Symbol.dispose]()
    observe(1, 60, 5)
    assert.equal(latency.seconds, 10)
  })
})
