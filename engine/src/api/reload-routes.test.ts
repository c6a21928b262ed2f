import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MISTAKE, servingAt } from '../reload/supervised.test.kit.js'
import { SupervisedApi } from '../reload/supervised-api.test.kit.js'
import { apiRoutes } from './route-table.js'
import { createLog } from '../observe/log.js'
import { checkReportSchema, reloadFailureSchema, reloadReportSchema } from '../observe/reload-report.js'
import { apiErrorSchema, engineStatusSchema } from '../observe/status.js'
import { quietFeed, statusSource } from './status-fixture.test.kit.js'

test('a reload responds when it is done: 200 applied with plan and viewers, 200 unchanged', async () => {
  await using api = await SupervisedApi.start(servingAt('/a'))
  api.setting.engine.viewers = 2
  await api.setting.files.write('live.yaml', servingAt('/b'))
  const applied = await api.post('/api/v1/reload')
  const report = reloadReportSchema.parse(applied.json)
  assert.deepEqual([applied.status, report.result], [200, 'applied'])
  assert.deepEqual(report.viewers, { before: 2, kept: 2, lost: 0 })
  assert.equal(report.plan?.isEmpty, false)
  const again = await api.post('/api/v1/reload')
  assert.deepEqual([again.status, reloadReportSchema.parse(again.json).result], [200, 'unchanged'])
})

test('a plan is 200 and does nothing, even if it would be refused', async () => {
  await using api = await SupervisedApi.start(servingAt('/a'))
  await api.setting.files.write('live.yaml', servingAt('/b'))
  const planned = await api.post('/api/v1/reload?plan=1')
  assert.deepEqual([planned.status, reloadReportSchema.parse(planned.json).result], [200, 'planned'])
  const restart = servingAt('/a').replace('version: 1', 'version: 1\nengine: { stateDir: other }')
  await api.setting.files.write('live.yaml', restart)
  const refused = await api.post('/api/v1/reload?plan=1')
  assert.deepEqual([refused.status, reloadReportSchema.parse(refused.json).plan?.refusals.length], [200, 1])
  assert.equal(api.setting.engine.applied.length, 0)
})

test('mistakes are 422 with all of them, a refusal 409, a failure 503', async () => {
  await using api = await SupervisedApi.start(servingAt('/a'))
  await api.setting.files.write('live.yaml', MISTAKE)
  const invalid = await api.post('/api/v1/reload')
  const { error, reload } = reloadFailureSchema.parse(invalid.json)
  assert.deepEqual([invalid.status, error.code, reload.diagnostics.length], [422, 'RELOAD_INVALID', 1])
  assert.match(error.message, /live\.yaml:\d+:\d+: /)
  assert.equal((await api.post('/api/v1/reload?plan=1')).status, 422)
  const restart = servingAt('/a').replace('version: 1', 'version: 1\nengine: { stateDir: other }')
  await api.setting.files.write('live.yaml', restart)
  const refused = await api.post('/api/v1/reload')
  assert.deepEqual([refused.status, codeOf(refused.json)], [409, 'RELOAD_REFUSED'])
  api.setting.engine.held = () => Promise.reject(new Error('address in use'))
  await api.setting.files.write('live.yaml', servingAt('/b'))
  const failed = await api.post('/api/v1/reload')
  assert.deepEqual([failed.status, codeOf(failed.json)], [503, 'RELOAD_FAILED'])
  api.setting.engine.held = async () => api.setting.engine.onRolledBack?.({ node: 'one/ts', why: 'it threw' })
  const rolledBack = await api.post('/api/v1/reload')
  assert.deepEqual([rolledBack.status, codeOf(rolledBack.json)], [503, 'RELOAD_ROLLED_BACK'])
})

test('of two waiting requests the older one is 409 superseded', async () => {
  await using api = await SupervisedApi.start(servingAt('/a'))
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  const begun = new Promise<void>((resolve) => {
    api.setting.engine.held = () => {
      resolve()
      return opened
    }
  })
  await api.setting.files.write('live.yaml', servingAt('/b'))
  const first = api.post('/api/v1/reload')
  await begun
  const waiting = [api.post('/api/v1/reload'), api.post('/api/v1/reload')]
  const superseded = await Promise.race(waiting)
  assert.deepEqual([superseded.status, codeOf(superseded.json)], [409, 'RELOAD_SUPERSEDED'])
  open()
  const statuses = (await Promise.all([first, ...waiting])).map(({ status }) => status)
  assert.deepEqual(
    statuses.sort((a, b) => a - b),
    [200, 200, 409],
  )
})

test('a reload needs the token', async () => {
  await using api = await SupervisedApi.start(servingAt('/a'))
  const headers = { 'content-type': 'application/json' }
  assert.equal((await fetch(`${api.url}/api/v1/reload`, { method: 'POST', headers })).status, 401)
  assert.equal((await fetch(`${api.url}/api/v1/config/check`, { method: 'POST', headers, body: '{}' })).status, 401)
})

test('the configuration is YAML or JSON, as requested, and 304 for clients that have it', async () => {
  await using api = await SupervisedApi.start(servingAt('/a'))
  const yaml = await fetch(`${api.url}/api/v1/config`)
  assert.equal(yaml.headers.get('content-type'), 'application/yaml; charset=utf-8')
  assert.match(await yaml.text(), /^version: 1\n[^]*path: \/a/)
  const json = await fetch(`${api.url}/api/v1/config?source=disk`, { headers: { accept: 'application/json' } })
  assert.equal(((await json.json()) as { version: number }).version, 1)
  assert.equal(
    (await fetch(`${api.url}/api/v1/config?format=json`)).headers.get('content-type')?.split(';')[0],
    'application/json',
  )
  const etag = yaml.headers.get('etag') ?? ''
  const again = await fetch(`${api.url}/api/v1/config`, { headers: { 'if-none-match': `"x", ${etag}` } })
  assert.deepEqual([again.status, await again.text()], [304, ''])
  await api.setting.files.write('live.yaml', MISTAKE)
  assert.equal((await fetch(`${api.url}/api/v1/config?source=disk`)).status, 422)
  assert.equal((await fetch(`${api.url}/api/v1/config?source=tape`)).status, 400)
})

test('texts are checked, and compared with the running configuration', async () => {
  await using api = await SupervisedApi.start(servingAt('/a'))
  const check = async (text: string, more: object = {}) => {
    const { status, json } = await api.post('/api/v1/config/check', { files: [{ path: 'live.yaml', text }], ...more })
    assert.equal(status, 200)
    return checkReportSchema.parse(json)
  }
  assert.deepEqual(await check(servingAt('/b')), { ok: true, diagnostics: [] })
  assert.equal((await check(MISTAKE)).diagnostics[0]?.code, 'CONFIG_UNKNOWN_NODE')
  const { plan, viewers } = await check(servingAt('/b'), { against: true })
  assert.deepEqual([plan?.isEmpty, viewers?.lost], [false, 0])
})

test('a body that is not JSON, has another shape or is too large is refused', async () => {
  await using api = await SupervisedApi.start(servingAt('/a'))
  const refused = async (body: unknown): Promise<[number, string]> => {
    const { status, json } = await api.post('/api/v1/config/check', body)
    return [status, codeOf(json)]
  }
  assert.deepEqual(await refused('{'), [400, 'API_BAD_REQUEST'])
  assert.deepEqual(await refused({ files: [] }), [400, 'API_BAD_REQUEST'])
  assert.deepEqual(await refused({ files: [{ path: 'a', text: '', more: 1 }] }), [400, 'API_BAD_REQUEST'])
  const large = { files: [{ path: 'a', text: 'x'.repeat(4 * 1024 * 1024) }] }
  assert.deepEqual(await refused(large), [413, 'API_TOO_LARGE'])
  const body = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024)),
  })
  const headers = { authorization: 'Bearer the-token-of-this-test-0123456789', 'content-type': 'application/json' }
  const endless = await fetch(`${api.url}/api/v1/config/check`, {
    method: 'POST',
    headers,
    body,
    duplex: 'half',
  } as RequestInit)
    .then(({ status }) => status)
    // The connection may close before the response is read, since the server does not read the rest.
    .catch(() => 413)
  assert.equal(endless, 413)
})

test('the status says whether disk and engine agree', async () => {
  await using api = await SupervisedApi.start(servingAt('/a'))
  await api.setting.files.write('live.yaml', MISTAKE)
  await api.post('/api/v1/reload')
  const status = engineStatusSchema.parse(await (await fetch(`${api.url}/api/v1/status`)).json())
  assert.deepEqual([status.reload?.inSync, status.reload?.last?.by], [false, 'api'])
})

test('an engine without supervision responds with 503', async () => {
  const log = createLog({ level: 'error', stream: { write: () => undefined } })
  const routes = apiRoutes(statusSource, quietFeed(log)).filter(({ path }) => /reload|config/.test(path))
  assert.equal(routes.length, 3)
  for (const route of routes) {
    const answer = await route.answer({
      params: {},
      query: {},
      mayRead: true,
      accepts: () => false,
      header: () => undefined,
    })
    assert.ok('json' in answer)
    assert.deepEqual([answer.status, codeOf(answer.json)], [503, 'RELOAD_UNSUPERVISED'])
  }
})

function codeOf(json: unknown): string {
  return apiErrorSchema.parse(json).error.code
}
