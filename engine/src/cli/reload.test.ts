import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MISTAKE, servingAt } from '../reload/supervised.test.kit.js'
import { SupervisedApi, TOKEN } from '../reload/supervised-api.test.kit.js'
import { checkAgainst } from './check-against.js'
import { type KeptStreams, keepStreams } from './cli-streams.test.kit.js'
import { diffLines } from './diff-lines.js'
import { reloadEngine } from './reload.js'
import { showRunningConfig } from './running-config.js'

const RESTART = servingAt('/a').replace('version: 1', 'version: 1\nengine: { stateDir: other }')

function asUser(): KeptStreams {
  return keepStreams({ ENGINE_TOKEN: TOKEN })
}

describe('reload', () => {
  async function reload(api: SupervisedApi, more: object = {}): Promise<[number, KeptStreams]> {
    const streams = asUser()
    return [await reloadEngine(streams, { api: api.url, folder: '/nowhere', ...more }), streams]
  }

  test('is 0 when it is applied, and when nothing differs', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    await api.setting.files.write('live.yaml', servingAt('/b'))
    const [applied, said] = await reload(api)
    assert.equal(applied, 0)
    assert.match(said.errText(), /^applied [0-9a-f]{8} in \d+\.\d s; nobody watches\n$/)
    const [unchanged, nothing] = await reload(api)
    assert.deepEqual([unchanged, nothing.errText()], [0, 'nothing differs\n'])
  })

  test('--plan prints what would change, to stdout', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    api.setting.engine.viewers = 3
    await api.setting.files.write('live.yaml', servingAt('/b'))
    const [code, streams] = await reload(api, { plan: true })
    assert.equal(code, 0)
    assert.match(streams.outText(), /3 viewers stay[^]*one\/ts/)
    assert.equal(api.setting.engine.applied.length, 0)
  })

  test('is 78 for mistakes, which are shown as check shows them', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    await api.setting.files.write('live.yaml', MISTAKE)
    const [code, streams] = await reload(api)
    assert.equal(code, 78)
    assert.match(
      streams.errText(),
      /^error\[CONFIG_UNKNOWN_NODE\]: .*\n +--> .*live\.yaml:\d+:\d+\n[^]*\^\^\^\^[^]*\n1 error in /,
    )
  })

  test('is 75 where it is refused or fails, with the reason; a plan of that too', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    await api.setting.files.write('live.yaml', RESTART)
    const [refused, said] = await reload(api)
    assert.equal(refused, 75)
    assert.match(said.errText(), /^refused: .*stateDir/)
    assert.equal((await reload(api, { plan: true }))[0], 75)
    api.setting.engine.held = () => Promise.reject(new Error('address in use'))
    await api.setting.files.write('live.yaml', servingAt('/b'))
    const [failed, why] = await reload(api)
    assert.deepEqual([failed, why.errText()], [75, 'failed: address in use\n'])
  })

  test('--json is the report', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    const [code, streams] = await reload(api, { json: true })
    assert.deepEqual([code, (JSON.parse(streams.outText()) as { result: string }).result], [0, 'unchanged'])
  })

  test('is 69 where no engine answers, 1 without the token, 2 for what is no URL', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    assert.equal(await reloadEngine(keepStreams(), { api: api.url, folder: '/nowhere' }), 1)
    assert.equal(await reloadEngine(asUser(), { api: 'http://127.0.0.1:1', folder: '/nowhere' }), 69)
    assert.equal(await reloadEngine(asUser(), { api: 'here', folder: '/nowhere' }), 2)
  })
})

describe('config', () => {
  async function config(api: SupervisedApi, more: object = {}): Promise<[number, string, string]> {
    const streams = keepStreams()
    const code = await showRunningConfig(streams, { api: api.url, folder: '/nowhere', ...more })
    return [code, streams.outText(), streams.errText()]
  }

  test('without files is what runs, as YAML or JSON', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    const [code, text] = await config(api)
    assert.equal(code, 0)
    assert.match(text, /^version: 1\n[^]*path: \/a/)
    const [, json] = await config(api, { json: true })
    assert.equal((JSON.parse(json) as { version: number }).version, 1)
  })

  test('--diff is 0 where nothing differs, 1 with the lines where something does, 78 for mistakes', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    assert.deepEqual(await config(api, { diff: true }), [0, '', ''])
    await api.setting.files.write('live.yaml', servingAt('/b'))
    const [code, text] = await config(api, { diff: true })
    assert.equal(code, 1)
    assert.match(text, /^--- running\n\+\+\+ disk\n@@ -\d+ \+\d+ @@\n[^]*\n-\s+path: \/a\n\+\s+path: \/b\n/)
    await api.setting.files.write('live.yaml', MISTAKE)
    const [broken, , why] = await config(api, { diff: true })
    assert.equal(broken, 78)
    assert.match(why, /CONFIG_UNKNOWN_NODE/)
  })
})

describe('check --against', () => {
  async function check(
    api: SupervisedApi,
    text: string,
    format: 'text' | 'json' = 'text',
  ): Promise<[number, KeptStreams]> {
    await api.setting.files.write('other.yaml', text)
    const streams = asUser()
    const files = [api.setting.files.path('other.yaml')]
    return [await checkAgainst(files, streams, { api: api.url, folder: '/nowhere', format }), streams]
  }

  test('prints the plan, with viewers kept and lost, and is 0', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    api.setting.engine.viewers = 3
    const [code, streams] = await check(api, servingAt('/b'))
    assert.deepEqual([code, streams.errText()], [0, ''])
    assert.match(streams.outText(), /3 viewers stay[^]*one\/ts/)
    const [, json] = await check(api, servingAt('/b'), 'json')
    assert.equal((JSON.parse(json.outText()) as { viewers: { kept: number } }[])[0]?.viewers.kept, 3)
  })

  test('is 78 for mistakes, 75 for what needs a restart, 69 without an engine', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    const [wrong, said] = await check(api, MISTAKE)
    assert.equal(wrong, 78)
    assert.match(said.errText(), /error\[CONFIG_UNKNOWN_NODE\][^]*--> .*other\.yaml:\d/)
    assert.equal((await check(api, RESTART))[0], 75)
    const options = { api: 'http://127.0.0.1:1', folder: '/nowhere', format: 'text' } as const
    assert.equal(await checkAgainst([api.setting.files.path('other.yaml')], asUser(), options), 69)
    const missing = asUser()
    assert.equal(await checkAgainst([api.setting.files.path('gone.yaml')], missing, { ...options, api: api.url }), 78)
    assert.match(missing.errText(), /CONFIG_UNREADABLE[^]*gone\.yaml/)
  })

  test('sends what the files include', async () => {
    await using api = await SupervisedApi.start(servingAt('/a'))
    const second = servingAt('/b')
      .replace('  one:', '  two:')
      .replace(/^listeners.*\n/m, '')
    await api.setting.files.write('second.yaml', second)
    const [code, streams] = await check(api, `include: [ second.yaml ]\n${servingAt('/a')}`)
    assert.equal(code, 0, streams.errText())
    assert.match(streams.outText(), /two\/ts/)
  })
})

const texts = [
  { name: 'nothing', before: 'a\nb\n', after: 'a\nb\n', lines: [] },
  { name: 'one line', before: 'a\nb\nc\n', after: 'a\nx\nc\n', lines: ['@@ -1 +1 @@', ' a', '-b', '+x', ' c'] },
  { name: 'a line at the end', before: 'a\n', after: 'a\nb\n', lines: ['@@ -1 +1 @@', ' a', '+b'] },
  { name: 'everything', before: 'a\n', after: '', lines: ['@@ -1 +1 @@', '-a'] },
  {
    name: 'two places far apart',
    before: '1\n2\n3\n4\n5\n6\n7\n8\n9\n',
    after: 'x\n2\n3\n4\n5\n6\n7\n8\ny\n',
    lines: ['@@ -1 +1 @@', '-1', '+x', ' 2', ' 3', ' 4', '@@ -6 +6 @@', ' 6', ' 7', ' 8', '-9', '+y'],
  },
]

for (const { name, before, after, lines } of texts) {
  test(`the difference of texts in which differs ${name}`, () => assert.deepEqual(diffLines(before, after), lines))
}

test('texts that differ in everything are shown one after the other', () => {
  const many = (mark: string): string => Array.from({ length: 3000 }, (_, line) => `${mark}${line}\n`).join('')
  assert.equal(diffLines(many('a'), many('b')).length, 6001)
})
