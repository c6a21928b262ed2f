import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { loadFiles, pipelineWith } from '../example-config.test.js'
import { renderGithub, renderJson, renderText } from '../report/render-diagnostics.js'

const TEXT = `${pipelineWith({
  top: 'templates: { t: { parameters: { a: {}, b: [x, y] }, outputs: { o: { type: "${param:b}", from: "x${param:a}" } } } }\nengine: { drain: 3s }\nservices: { metrics: { type: prometheus } }',
  transforms:
    'gops: { type: gop, from: main, maxDuration: "${A:-5s}" }\npick: &p\n  type: failover\n  from: [main, gops]',
  outputs: 'ts: { type: http-ts, from: gops, path: /a }\nhls: { type: hls, from: pick, <<: *p }',
})}  two: { template: t, with: { a: 1, b: hls }, inputs: { x1: { type: file, path: b } }, outputs: { o: { was: q, from: ~ } } }
`

const PIECES = [
  '${',
  '${param:a}',
  '}',
  '*',
  '&p ',
  '<<: *p',
  '"',
  "'",
  '\t',
  '\n',
  ': ',
  '- ',
  '[',
  '{',
  '#',
  '!',
  '|',
  '\0',
  '\u{1f600}',
  '1',
  '__proto__: ',
  'null',
  '~',
  '---\n',
]

const mutation = fc.record({
  at: fc.nat(TEXT.length),
  remove: fc.nat(8),
  insert: fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 6 })),
})

test('a damaged file is reported or accepted, and never throws', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async (mutations) => {
      let text = TEXT
      for (const { at, remove, insert } of mutations) text = text.slice(0, at) + insert + text.slice(at + remove)
      const { graph, diagnostics } = await loadFiles({ a: text })
      assert.equal(
        graph === undefined,
        diagnostics.some(({ severity }) => severity === 'error'),
      )
      for (const { line, column, endColumn } of diagnostics) assert.ok(line >= 1 && column >= 1 && endColumn > column)
      renderText(diagnostics)
      renderGithub(diagnostics)
      JSON.parse(renderJson(diagnostics))
    }),
    { numRuns: 300 },
  )
})

test('any tree of plain values is reported, and never throws', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.jsonValue({ maxDepth: 4 }),
      fc.constantFrom('engine', 'listeners', 'services', 'plugins', 'pipelines'),
      async (value, section) => {
        const { diagnostics } = await loadFiles({ a: JSON.stringify({ version: 1, [section]: value }) })
        assert.ok(diagnostics.every(({ code }) => code !== 'PLUGIN_FAULT'))
      },
    ),
    { numRuns: 200 },
  )
})
