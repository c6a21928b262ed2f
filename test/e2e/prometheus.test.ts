// A real Prometheus reads the metrics over a listener of their own, with a token, and evaluates the alerts of deploy/.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { Child } from './kit/child.js'
import { freePort } from './kit/free-port.js'
import { getJson, httpRequest } from './kit/http-request.js'
import { MetricsPage } from './kit/metrics-page.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { startEngine } from './kit/start-engine.js'
import { until } from './kit/until.js'

const TOKEN = 'scrape-token-0123456789abcdef'
const YAML = `
version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state }
listeners:
  metrics: { address: "127.0.0.1:0" }
  web: { address: "127.0.0.1:0" }
  srt: { protocol: srt, address: "127.0.0.1:0" }
  rtmp: { protocol: rtmp, address: "127.0.0.1:0" }
auth: { scrapers: { type: bearer, tokens: { prometheus: "${TOKEN}" } } }
services: { metrics: { type: prometheus, listener: metrics, auth: scrapers } }
pipelines:
  good:
    inputs: { main: { type: file, path: a.ts, loop: true } }
    transforms: { gops: { type: gop, from: main } }
    outputs:
      out: { type: http-ts, from: gops, listener: web, path: /good.ts }
      hls: { type: hls, from: gops, listener: web, path: /hls/good.m3u8, segment: 1s }
      udp: { type: udp, from: main, address: "127.0.0.1:9" }
      exec: { type: exec, from: main, command: [cat] }
      srt: { type: srt, from: main, listener: srt, stream: good }
      rtmp: { type: rtmp, from: main, mode: serve, listener: rtmp, app: live, stream: good }
  gone:
    inputs: { main: { type: file, path: missing.ts } }
    transforms: { gops: { type: gop, from: main } }
    outputs: { out: { type: http-ts, from: gops, listener: web, path: /gone.ts } }
`

interface Rules {
  readonly data: {
    readonly groups: readonly { readonly rules: readonly { name: string; health: string; lastError?: string }[] }[]
  }
}

interface Alerts {
  readonly data: { readonly alerts: readonly { labels: Readonly<Record<string, string>>; state: string }[] }
}

/** As deploy/ has it, for an engine on this machine, without TLS, and every second. */
async function shippedScrape(address: string): Promise<string> {
  let text = await readFile(join(REPOSITORY_ROOT, 'deploy/prometheus/prometheus.yml'), 'utf8')
  for (const [shipped, here] of [
    ['scrape_interval: 15s', 'scrape_interval: 1s'],
    ['evaluation_interval: 15s', 'evaluation_interval: 1s'],
    ['scheme: https', 'scheme: http'],
    ['/etc/prometheus/millrace.token', 'token'],
    ["['engine.example:9991']", `['${address}']`],
  ] as const) {
    const [head = '', rest, ...others] = text.split(`${shipped}\n`)
    assert.ok(rest !== undefined && others.length === 0, shipped)
    text = `${head}${here}\n${rest}`
  }
  return text
}

/** What the shipped board asks for, with its variables set as Grafana does. */
async function boardExpressions(): Promise<readonly string[]> {
  const board: unknown = JSON.parse(await readFile(join(REPOSITORY_ROOT, 'deploy/grafana/millrace.json'), 'utf8'))
  const found: string[] = []
  const search = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'expr' && typeof inner === 'string') found.push(inner)
      else search(inner)
    }
  }
  search(board)
  return found.map((expression) =>
    expression.replaceAll(/\$(?:instance|pipeline)/g, '.*').replaceAll('$__rate_interval', '10s'),
  )
}

test('Prometheus scrapes with its token, evaluates every alert, and one fires for an input without a source', async () => {
  await using engine = await startEngine({ yaml: YAML, files: { 'a.ts': buildTs({ durationS: 2 }).bytes } })
  const { listeners } = await engine.status()
  const address = listeners.find(({ name }) => name === 'metrics')?.address ?? ''
  assert.equal((await httpRequest(`http://${address}/metrics`)).status, 401)
  const rules = await readFile(join(REPOSITORY_ROOT, 'deploy/prometheus/alerts.yaml'), 'utf8')
  await engine.folder.write('alerts.yaml', rules.replaceAll(/for: \w+/g, 'for: 0s'))
  await engine.folder.write('token', TOKEN)
  await engine.folder.write('prometheus.yml', await shippedScrape(address))
  const port = await freePort()
  const flags = ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=127.0.0.1:${port}`]
  await using prometheus = new Child('prometheus', flags, { cwd: engine.folder.path })
  const ask = <T>(path: string): Promise<T> => getJson<T>(`http://127.0.0.1:${port}/api/v1/${path}`)
  const firing = async (): Promise<readonly string[]> => {
    const { data } = await ask<Alerts>('alerts').catch((): Alerts => ({ data: { alerts: [] } }))
    return data.alerts.flatMap(({ labels, state }) =>
      state === 'firing' ? [`${labels['alertname']} ${labels['pipeline'] ?? ''}`] : [],
    )
  }
  await until(
    async () => (await firing()).includes('MillraceInputDown gone'),
    () => `no alert\n${prometheus.stderr.slice(-3000)}`,
    60_000,
  )
  assert.ok(!(await firing()).some((alert) => /EngineDown|ConfigDiffers|InputDown good|FilesRunOut/.test(alert)))
  const evaluated = await until(async () => {
    const { data } = await ask<Rules>('rules')
    const rows = data.groups.flatMap((group) => group.rules)
    return rows.every(({ health }) => health !== 'unknown') && rows
  }, 'each group of rules has had its turn')
  assert.ok(evaluated.length >= 14)
  const latencyOf = async (node: string): Promise<number> => {
    const headers = { authorization: `Bearer ${TOKEN}` }
    const page = new MetricsPage((await httpRequest(`http://${address}/metrics`, { headers })).text)
    assert.deepEqual(page.faults, [])
    return page.value('millrace_output_latency_seconds_count', { pipeline: 'good', node }) ?? 0
  }
  for (const node of ['hls', 'udp', 'exec', 'srt', 'rtmp']) {
    await until(async () => (await latencyOf(node)) > 0, `${node} has a latency`)
  }
  const expressions = await boardExpressions()
  assert.ok(expressions.length > 30)
  for (const query of expressions) {
    const { text } = await httpRequest(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`)
    assert.equal((JSON.parse(text) as { status: string }).status, 'success', `${query}: ${text}`)
    assert.doesNotMatch(query, /\$/)
  }
  const { data: up } = await ask<{ data: { result: readonly { value: readonly [number, string] }[] } }>(
    `query?query=${encodeURIComponent(expressions.find((each) => each.startsWith('sum(up{')) ?? '')}`,
  )
  assert.equal(up.result[0]?.value[1], '1', 'the board finds the engine by the name of the job')
  for (const { name, health, lastError } of evaluated) assert.equal(health, 'ok', `${name}: ${lastError ?? ''}`)
})

test('alerts and the Grafana board name only metrics that are documented', async () => {
  const documented = await readFile(join(REPOSITORY_ROOT, 'docs/metrics.md'), 'utf8')
  for (const file of ['deploy/prometheus/alerts.yaml', 'deploy/grafana/millrace.json']) {
    const text = await readFile(join(REPOSITORY_ROOT, file), 'utf8')
    const names = new Set(text.match(/\bmillrace_[a-z0-9_]+/g))
    assert.ok(names.size > 5)
    for (const name of names) {
      const family = name.replace(/_(?:bucket|sum|count)$/, '')
      assert.ok(documented.includes(`\`${name}\``) || documented.includes(`\`${family}\``), `${file}: ${name}`)
    }
  }
})
