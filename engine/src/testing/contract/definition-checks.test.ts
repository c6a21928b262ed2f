import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { z } from 'zod'
import type { MetricDeclaration } from '../../plugin/contract.js'
import { defineTransform } from '../../plugin/define.js'
import { testBreaks, transform } from './broken.test.kit.js'
import * as checks from './definition-checks.js'

const { texts, metricNames, manifest, pure } = checks
const folder = mkdtempSync(join(tmpdir(), 'millrace-manifest-'))
after(() => rmSync(folder, { recursive: true }))
mkdirSync(join(folder, 'dist'))
const millrace = { api: '^1.0', manifest: './dist/manifest.json' }
const json = {
  name: 'x',
  version: '1.0.0',
  type: 'module',
  exports: './index.js',
  keywords: ['millrace-plugin'],
  millrace,
}
writeFileSync(join(folder, 'package.json'), JSON.stringify(json))
writeFileSync(join(folder, 'index.js'), 'export {}')
const old = { definitions: [{ kind: 'transform', type: 'sound', summary: 'Of last week.' }] }
writeFileSync(join(folder, 'dist/manifest.json'), JSON.stringify(old))

const withMetric = (metric: MetricDeclaration) => ({ ...transform, metrics: [metric] })
const help = 'For tests.'

testBreaks(checks, [
  {
    check: texts,
    name: 'an option without a description',
    definition: { ...transform, options: z.strictObject({ speed: z.string() }) } as never,
    message: /option speed has no description/,
  },
  {
    check: texts,
    name: 'an example of another type',
    definition: { ...transform, examples: [{ title: 'One', yaml: 'a: { type: other }' }] },
    message: /example "One": a is of another type/,
  },
  {
    check: texts,
    name: 'an example with a wrong option',
    definition: { ...transform, examples: [{ title: 'One', yaml: 'a: { type: sound, weight: 0 }' }] },
    message: /example "One" is refused/,
  },
  {
    check: metricNames,
    name: 'a metric without the prefix',
    definition: withMetric({ name: 'packets_total', kind: 'counter', help }),
    message: /metric packets_total: begin its name with sound_ or transform_sound_/,
  },
  {
    check: metricNames,
    name: 'a metric in milliseconds',
    definition: withMetric({ name: 'sound_wait_ms', kind: 'gauge', help }),
    message: /ms is no base unit, use seconds/,
  },
  {
    check: metricNames,
    name: 'a duration without a unit',
    definition: withMetric({ name: 'sound_delay', kind: 'gauge', help }),
    message: /metric sound_delay: end its name with its unit/,
  },
  {
    check: metricNames,
    name: 'a histogram without a unit',
    definition: withMetric({ name: 'sound_waits', kind: 'histogram', help, buckets: [1] }),
    message: /end its name with its unit/,
  },
  {
    check: manifest,
    name: 'a manifest of an earlier build',
    definition: transform,
    folder,
    message: /manifest.json is old: run `engine plugins manifest`/,
  },
  {
    check: pure,
    name: 'ports that change with each call',
    definition: unsteady(),
    message: /exclusive\(\), programs\(\), offers\(\) or ports\(\) answer differently the second time/,
  },
])

function unsteady() {
  let calls = 0
  return defineTransform({ ...transform, ports: () => [{ name: `p${calls++}`, kind: 'ts' }] })
}
