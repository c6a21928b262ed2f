// The auth provider `webhook` with a real web server as the hook, and real viewers: what it decides, and what a bad hook
// costs those who need it, and those who do not.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ClientList } from '@millrace/engine/api'
import { HttpReader } from '../oracle/http-reader.js'
import { assertClean } from './kit/assert-clean.js'
import { engineYaml } from './kit/engine-yaml.js'
import { getJson, httpRequest } from './kit/http-request.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { type EngineProcess, runCommandLine, startEngine } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'
import { until } from './kit/until.js'

const CLIP = join(REPOSITORY_ROOT, 'pipelines/media/testcard.ts')

interface Question {
  readonly action: string
  readonly protocol: string
  readonly stream: string
  readonly path: string
  readonly address: string
  readonly token?: string
}

class Hook implements AsyncDisposable {
  readonly questions: Question[] = []
  answer: (response: ServerResponse, question: Question) => void
  readonly #server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (part: string) => (body += part))
    request.on('end', () => {
      const question = JSON.parse(body) as Question
      this.questions.push(question)
      this.answer(response, question)
    })
  })

  private constructor(answer: Hook['answer']) {
    this.answer = answer
  }

  static async open(answer: Hook['answer']): Promise<Hook> {
    const hook = new Hook(answer)
    await new Promise<void>((resolve) => hook.#server.listen(0, '127.0.0.1', resolve))
    return hook
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/auth`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

function yamlWith(hook: Hook, options: string, outputs = { guarded: 'auth: ours', open: '' }): string {
  const input = `path: ${CLIP}, loop: true`
  const yaml = engineYaml({ one: { input, outputs } }, { engine: 'drain: 5s, accessLog: access.log' })
  return yaml.replace('pipelines:', `auth: { ours: { type: webhook, url: "${hook.url}"${options} } }\npipelines:`)
}

async function start(hook: Hook, options = ''): Promise<EngineProcess> {
  const engine = await startEngine({ yaml: yamlWith(hook, options) })
  await engine.ready()
  return engine
}

async function refusals(engine: EngineProcess): Promise<Record<string, number>> {
  const { text } = await httpRequest(`${engine.api}/metrics`)
  const rows = [...text.matchAll(/^millrace_auth_refused_total\{reason="([a-z-]+)"\} (\d+)$/gm)]
  return Object.fromEntries(rows.map(([, reason = '', count]) => [reason, Number(count)]))
}

test('the hook decides who watches, gives the name, and its refusals are counted and logged', async () => {
  await using hook = await Hook.open((response, { token }) => {
    if (token === 'good') response.writeHead(200).end('{ "user": "anna", "ttl": "1m" }')
    else if (token === 'unpaid') response.writeHead(403).end('{ "reason": "unpaid" }')
    else response.writeHead(401).end()
  })
  await using engine = await start(hook)
  const url = await engine.url('one/guarded')
  await using viewer = new HttpReader(`${url}?token=good`)
  await viewer.until(({ bodyBytes }) => bodyBytes > 0)
  const { clients } = await getJson<ClientList>(`${engine.api}/api/v1/clients?node=one/guarded`)
  assert.deepEqual(
    clients.map(({ user }) => user),
    ['anna'],
  )
  const status = async (query: string): Promise<number> =>
    (await httpRequest(`${url}${query}`, { method: 'HEAD' })).status
  assert.deepEqual([await status('?token=unpaid'), await status('?token=guess'), await status('')], [403, 401, 401])
  const { action, protocol, stream, path, address, token } = hook.questions[0] ?? {}
  assert.deepEqual(
    [action, protocol, stream, path, address, token],
    ['read', 'http', 'one', '/one/guarded.ts', '127.0.0.1', 'good'],
  )
  assert.deepEqual(await refusals(engine), { denied: 1, 'bad-credentials': 1, 'no-credentials': 1 })
  await using refused = new HttpReader(`${url}?token=unpaid`, { check: false })
  await refused.until(({ ended }) => ended !== 'open')
  assert.equal(hook.questions.length, 4, 'a denial is remembered for a moment')
  const log = join(engine.folder.path, 'access.log')
  const line = await until(async () => {
    const lines = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n')
    return lines.find((each) => each.includes('"reason":"denied"'))
  }, 'the refusal is in the access log')
  assert.equal((JSON.parse(line) as { status: number }).status, 403)
  assert.ok(!line.includes('unpaid?') && !line.includes('token'))
  const { text } = await httpRequest(`${engine.api}/metrics`)
  assert.match(text, /millrace_auth_webhook_asks_total\{pipeline="auth",node="ours",type="webhook"\} 4\n/)
  assert.match(text, /millrace_auth_webhook_duration_seconds_count\{pipeline="auth",node="ours",type="webhook"\} 4\n/)
  await engine.stop()
})

test('a hook that hangs under a storm of logins costs viewers of other outputs nothing, and is told once', async () => {
  await using hook = await Hook.open(() => undefined)
  await using engine = await start(hook, ', timeout: 1s, inFlight: 5, queue: 20')
  const [guarded, open] = [await engine.url('one/guarded'), await engine.url('one/open')]
  await using viewer = new HttpReader(open)
  await viewer.until(({ bodyBytes }) => bodyBytes > 0)
  // Far more at a time than may wait, and no more than this process can serve on a busy machine: who connects and sends no
  // head for 5 s is refused.
  const storm = Array.from({ length: 100 }, async (_, client) => {
    const statuses: number[] = []
    for (let login = 0; login < 10; login++)
      statuses.push((await httpRequest(`${guarded}?token=t${client}-${login}`, { method: 'HEAD' })).status)
    return statuses
  })
  const joined = new HttpReader(open)
  await using _joined = joined
  await joined.until(({ bodyBytes }) => bodyBytes > 0)
  assert.deepEqual(new Set((await Promise.all(storm)).flat()), new Set([503]))
  assert.ok(hook.questions.length <= 20, `${hook.questions.length} questions`)
  const counts = await refusals(engine)
  assert.deepEqual(
    [(counts['busy'] ?? 0) + (counts['failed'] ?? 0), Object.keys(counts).sort()],
    [1000, ['busy', 'failed']],
  )
  const { bodyBytes } = viewer.report()
  await viewer.until((now) => now.bodyBytes > bodyBytes + 500_000)
  assertClean('a viewer of the other output', viewer.report().ts)
  assertClean('a viewer who came meanwhile', joined.report().ts)
  assert.equal(engine.child.stderr.split('the auth webhook does not decide').length - 1, 1)
  await engine.stop()
})

test('a reload while questions are on the way keeps them, and connected viewers stay when the hook is gone', async () => {
  const waiting: ServerResponse[] = []
  await using hook = await Hook.open((response, { token }) => {
    if (token === 'first') response.writeHead(204).end()
    else waiting.push(response)
  })
  await using engine = await start(hook, ', timeout: 9s')
  const url = await engine.url('one/guarded')
  await using viewer = new HttpReader(`${url}?token=first`)
  await viewer.until(({ bodyBytes }) => bodyBytes > 0)
  const late = httpRequest(`${url}?token=second`, { method: 'HEAD' })
  await until(() => waiting.length === 1, 'the question is on the way')
  await engine.folder.write('pipeline.yaml', yamlWith(hook, ', timeout: 8s, cache: 1m'))
  await until(() => engine.child.stderr.includes('auth/ours'), 'the reload is applied')
  waiting[0]?.writeHead(204).end()
  assert.equal((await late).status, 200)
  await engine.folder.write(
    'pipeline.yaml',
    yamlWith(hook, ', timeout: 8s, actions: [publish]', { guarded: '', open: '' }),
  )
  await until(async () => (await httpRequest(url, { method: 'HEAD' })).status === 200, 'nobody is asked any more')
  await hook[Symbol.asyncDispose]()
  const { bodyBytes } = viewer.report()
  await viewer.until((now) => now.bodyBytes > bodyBytes + 200_000)
  assertClean('the viewer', viewer.report().ts)
  await engine.stop()
})

test('a provider that admits publishers alone cannot guard an output by mistake', async () => {
  await using hook = await Hook.open((response) => void response.writeHead(204).end())
  await assert.rejects(startEngine({ yaml: yamlWith(hook, ', actions: [publish]') }), /CONFIG_AUTH_ACTION/)
})

test('the examples of the provider, and those for publishers in the documentation, pass the check', async () => {
  const manifest = await readFile(join(REPOSITORY_ROOT, 'plugins/auth-webhook/dist/manifest.json'), 'utf8')
  const { definitions } = JSON.parse(manifest) as { definitions: { examples: { yaml: string }[] }[] }
  const examples = definitions.flatMap((definition) => definition.examples.map(({ yaml }) => yaml))
  const page = await readFile(join(REPOSITORY_ROOT, 'docs/access.md'), 'utf8')
  const publishers = /```yaml\nauth:\n( {2}encoders:[^]*?)```/.exec(page)?.[1] ?? ''
  assert.ok(examples.length > 0 && publishers !== '')
  await using folder = await TempFolder.make()
  const secrets = 'secrets: { hook: { env: HOOK }, cam-1: { env: CAM } }'
  const yaml = engineYaml({ one: { input: `path: ${CLIP}` } })
  for (const auth of [...examples.map((example) => `  ${example}`), publishers]) {
    await folder.write('live.yaml', yaml.replace('pipelines:', `${secrets}\nauth:\n${auth}\npipelines:`))
    await using check = runCommandLine(['check', 'live.yaml'], folder.path, { HOOK: 'a secret', CAM: 'another' })
    assert.equal((await check.exited).code, 0, check.stderr + check.stdout)
  }
})
