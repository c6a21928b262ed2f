import assert from 'node:assert/strict'
import { chmod, lstat, mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { editError } from '../config/edit/edit-errors.js'
import { apiErrorSchema } from '../observe/status.js'
import { editReportSchema, reloadFailureSchema } from '../observe/reload-report.js'
import { SupervisedApi, TOKEN } from '../reload/supervised-api.test.kit.js'
import { Supervised, until } from '../reload/supervised.test.kit.js'
import { FakeClock } from '../testing/fake-clock.js'

const TEXT = `version: 1
listeners: { web: { address: "127.0.0.1:0" } }
pipelines:
  one:
    inputs:
      main: { type: file, path: a.ts } # the camera
    transforms:
      gops: { type: gop, from: main, maxDuration: "\${LONGEST:-5s}" }
    outputs:
      # served
      ts:
        type: http-ts
        from: gops
        path: /a   # where
`

const TS = '/api/v1/pipelines/one/nodes/ts'

async function patch(
  api: SupervisedApi,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; json: unknown }> {
  const response = await fetch(api.url + path, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return { status: response.status, json: await response.json() }
}

function errorOf(json: unknown): { code: string; message: string; file?: string; line?: number } {
  return apiErrorSchema.parse(json).error
}

function textOf(api: SupervisedApi): Promise<string> {
  return readFile(api.setting.files.path('live.yaml'), 'utf8')
}

describe('PATCH of a node', () => {
  test('changes its line in the file, keeps all else, and applies it once', async () => {
    await using api = await SupervisedApi.start(TEXT)
    const { status, json } = await patch(api, TS, { path: '/b' })
    assert.equal(status, 200)
    const report = editReportSchema.parse(json)
    assert.deepEqual(
      [report.result, report.files],
      ['applied', [{ file: api.setting.files.path('live.yaml'), line: 11 }]],
    )
    assert.equal(await textOf(api), TEXT.replace('/a   # where', '/b   # where'))
    assert.equal(api.setting.engine.applied.length, 1)
    const { last, inSync } = api.setting.control.status()
    assert.deepEqual([last?.by, last?.result, inSync], ['api', 'applied', true])
  })

  test('with plan=1 says what would happen, and writes nothing', async () => {
    await using api = await SupervisedApi.start(TEXT)
    api.setting.engine.viewers = 3
    const { status, json } = await patch(api, `${TS}?plan=1`, { path: '/b' })
    const report = editReportSchema.parse(json)
    assert.deepEqual([status, report.result, report.viewers?.before], [200, 'planned', 3])
    assert.deepEqual([await textOf(api), api.setting.engine.applied.length], [TEXT, 0])
  })

  test('that changes nothing is answered so', async () => {
    await using api = await SupervisedApi.start(TEXT)
    const { json } = await patch(api, TS, { path: '/a' })
    assert.deepEqual([editReportSchema.parse(json).result, await textOf(api)], ['unchanged', TEXT])
  })

  test('with a mistake is answered with what check reports, and nothing is written', async () => {
    await using api = await SupervisedApi.start(TEXT)
    const { status, json } = await patch(api, TS, { path: 7, colour: 'red' })
    const { error, reload } = reloadFailureSchema.parse(json)
    assert.deepEqual([status, error.code], [422, 'RELOAD_INVALID'])
    const [first] = reload.diagnostics
    assert.deepEqual([first?.line, first?.source?.includes('path: 7'), first?.help !== ''], [14, true, true])
    assert.equal(await textOf(api), TEXT)
  })

  test('is refused while the files have a change that does not run', async () => {
    await using api = await SupervisedApi.start(TEXT)
    const byHand = TEXT.replace('a.ts }', 'b.ts }')
    await api.setting.files.write('live.yaml', byHand)
    const { status, json } = await patch(api, TS, { path: '/b' })
    assert.deepEqual([status, errorOf(json).code], [409, 'EDIT_CONFLICT'])
    assert.equal(await textOf(api), byHand)
    await api.setting.files.write('live.yaml', `${TEXT}broken`)
    assert.equal((await patch(api, TS, { path: '/b' })).status, 409)
  })

  test('keeps a comment that somebody has written meanwhile', async () => {
    await using api = await SupervisedApi.start(TEXT)
    await api.setting.files.write('live.yaml', `${TEXT}# more\n`)
    assert.equal((await patch(api, TS, { path: '/b' })).status, 200)
    assert.match(await textOf(api), /path: \/b {3}# where\n# more\n$/)
  })

  test('is refused with If-Match of another configuration', async () => {
    await using api = await SupervisedApi.start(TEXT)
    for (const format of ['yaml', 'json']) {
      const response = await fetch(`${api.url}/api/v1/config?format=${format}`)
      await response.text()
      const etag = response.headers.get('etag') ?? ''
      const headers = { 'if-match': `"other", ${etag}` }
      assert.equal((await patch(api, TS, { path: `/${format}` }, headers)).status, 200)
      const { status, json } = await patch(api, TS, { path: '/late' }, headers)
      assert.deepEqual([status, errorOf(json).code], [412, 'EDIT_STALE'])
    }
    assert.equal((await patch(api, TS, { path: '/any' }, { 'if-match': '*' })).status, 200)
  })

  test('of what is written elsewhere is refused with its place', async () => {
    await using api = await SupervisedApi.start(TEXT)
    const { status, json } = await patch(api, '/api/v1/pipelines/one/nodes/gops', { maxDuration: '7s' })
    const { code, file, line } = errorOf(json)
    assert.deepEqual([status, code, line], [422, 'EDIT_ELSEWHERE', 8])
    assert.equal(file, api.setting.files.path('live.yaml'))
  })

  test('of what a flag sets is refused', async () => {
    const sets = ['pipelines.one.outputs.ts.path=/flag']
    await using api = await SupervisedApi.start(TEXT, { options: () => ({ sets }) })
    const { status, json } = await patch(api, TS, { path: '/b' })
    assert.deepEqual([status, errorOf(json).code], [422, 'EDIT_ELSEWHERE'])
  })

  test('that others would feel through an anchor is refused', async () => {
    const text = TEXT.replace('path: a.ts }', 'path: &p a.ts }')
      .replace('main: {', 'main: {')
      .replace('    transforms:', '      spare: { type: file, path: *p }\n    transforms:')
    await using api = await SupervisedApi.start(text)
    const { status, json } = await patch(api, '/api/v1/pipelines/one/nodes/main', { path: 'b.ts' })
    assert.deepEqual([status, errorOf(json).code], [422, 'EDIT_OTHERS'])
    assert.match(errorOf(json).message, /one\/spare/)
    assert.equal(await textOf(api), text)
  })

  test('of a node that does not exist is 404, of a text with a variable, or with what stands for a secret, 422', async () => {
    await using api = await SupervisedApi.start(TEXT)
    for (const node of ['none', '%2e%2e', '__proto__']) {
      assert.equal((await patch(api, `/api/v1/pipelines/one/nodes/${node}`, {})).status, 404)
    }
    const { status, json } = await patch(api, TS, { path: '/${HOME}' })
    assert.deepEqual([status, errorOf(json).code], [422, 'EDIT_VALUE'])
    const shown = await patch(api, TS, { path: 'http://h/a?x=***' })
    assert.deepEqual([shown.status, errorOf(shown.json).code], [422, 'EDIT_VALUE'])
    const deep = `{"path":${'['.repeat(20)}${']'.repeat(20)}}`
    assert.equal((await patch(api, TS, JSON.parse(deep))).status, 422)
  })

  test('that cannot be applied leaves the file as it was, and both in sync', async () => {
    await using api = await SupervisedApi.start(TEXT)
    api.setting.engine.held = () => Promise.reject(new Error('the port is taken'))
    const { status, json } = await patch(api, TS, { path: '/b' })
    assert.deepEqual([status, reloadFailureSchema.parse(json).reload.result], [503, 'failed'])
    assert.equal(await textOf(api), TEXT)
    assert.equal(api.setting.control.status().inSync, true)
  })

  test('writes through a symbolic link, and keeps mode and byte order mark', async () => {
    await using api = await SupervisedApi.start(TEXT, {
      prepare: async (files) => {
        await mkdir(files.path('real'))
        await writeFile(files.path('real/it.yaml'), `\ufeff${TEXT}`)
        await chmod(files.path('real/it.yaml'), 0o640)
        const { rm } = await import('node:fs/promises')
        await rm(files.path('live.yaml'))
        await symlink('real/it.yaml', files.path('live.yaml'))
      },
    })
    assert.equal((await patch(api, TS, { path: '/b' })).status, 200)
    const { files } = api.setting
    assert.ok((await lstat(files.path('live.yaml'))).isSymbolicLink())
    assert.equal((await stat(files.path('real/it.yaml'))).mode & 0o777, 0o640)
    assert.equal(await textOf(api), `\ufeff${TEXT.replace('/a   #', '/b   #')}`)
    assert.deepEqual(await readdir(files.path('real')), ['it.yaml'])
  })

  test('that cannot be applied or put back says so, and is tried again', async () => {
    await using api = await SupervisedApi.start(TEXT, { clock: new FakeClock(), watch: true })
    const { files, engine, control } = api.setting
    engine.held = async () => {
      // Somebody else writes meanwhile.
      await files.write('live.yaml', TEXT.replace('/a   #', '/c   #'))
      throw editError('EDIT_BUSY', 'stands for a server that does not answer')
    }
    assert.equal((await patch(api, TS, { path: '/b' })).status, 503)
    const { last, inSync, retryAt } = control.status()
    assert.deepEqual([last?.by, last?.result, inSync, retryAt !== undefined], ['file', 'failed', false, true])
    assert.equal(api.setting.events().filter((kind) => kind === 'reload.failed').length, 2)
  })

  test('is refused with expect if another configuration would be the result than was planned', async () => {
    await using api = await SupervisedApi.start(TEXT)
    const plan = await patch(api, `${TS}?plan=1`, { path: '/b' })
    const { id } = editReportSchema.parse(plan.json)
    assert.equal((await patch(api, '/api/v1/pipelines/one/nodes/main', { path: 'b.ts' })).status, 200)
    const { status, json } = await patch(api, `${TS}?expect=${id}`, { path: '/b' })
    assert.deepEqual([status, errorOf(json).code], [412, 'EDIT_STALE'])
    assert.equal(await textOf(api), TEXT.replace('a.ts', 'b.ts'))
    assert.equal((await patch(api, '/api/v1/pipelines/one/nodes/main', { path: 'a.ts' })).status, 200)
    assert.equal((await patch(api, `${TS}?expect=${id}`, { path: '/b' })).status, 200)
    assert.equal((await patch(api, `${TS}?expect=x`, { path: '/c' })).status, 400)
  })

  test('does not touch the unfinished file of another engine', async () => {
    await using api = await SupervisedApi.start(TEXT)
    await api.setting.files.write('.live.yaml~new', 'of another')
    assert.equal((await patch(api, TS, { path: '/b' })).status, 200)
    assert.equal(await readFile(api.setting.files.path('.live.yaml~new'), 'utf8'), 'of another')
  })

  test('of a file that cannot be replaced is refused', async () => {
    await using api = await SupervisedApi.start(TEXT, {
      prepare: async (files) => {
        // No name beside it is short enough.
        const name = 'n'.repeat(255)
        await rename(files.path('live.yaml'), files.path(name))
        await symlink(name, files.path('live.yaml'))
      },
    })
    const { status, json } = await patch(api, TS, { path: '/b' })
    assert.deepEqual([status, errorOf(json).code, errorOf(json).line], [422, 'EDIT_NOT_WRITABLE', 11])
    assert.equal(await textOf(api), TEXT)
  })

  test('one after the other is one reload each, and too many at once are refused', async () => {
    await using api = await SupervisedApi.start(TEXT)
    const { begun, release } = api.setting.engine.hold()
    const first = patch(api, TS, { path: '/0' })
    await begun
    const others = Array.from({ length: 9 }, (_, index) => patch(api, TS, { path: `/${index + 1}` }))
    const isBusy = Promise.any(others.map(async (one) => assert.equal((await one).status, 429)))
    await isBusy
    release()
    const statuses = (await Promise.all([first, ...others])).map(({ status }) => status)
    assert.deepEqual(
      [statuses.filter((one) => one === 200).length, statuses.filter((one) => one === 429).length],
      [9, 1],
    )
    assert.equal(api.setting.engine.applied.length, 9)
  })
})

test('the watch of the files does not take the edit for one by hand', async () => {
  await using setting = await Supervised.start(TEXT)
  const edit = { node: 'one/ts', patch: { path: '/b' }, isPlan: false }
  assert.equal((await setting.control.edit(edit)).result, 'applied')
  // A change by hand comes after anything that the watch had to say about the edit.
  const text = await readFile(setting.files.path('live.yaml'), 'utf8')
  await setting.files.write('live.yaml', text.replace('/b', '/c'))
  await until(() => setting.control.status().last?.by === 'file')
  assert.deepEqual(
    setting.events().filter((kind) => kind.startsWith('reload.')),
    ['reload.applied', 'reload.applied'],
  )
  assert.equal(setting.lines.filter(({ msg }) => msg.includes('nothing has changed')).length, 0)
})

test('whatever is sent as an edit, the answer is one of the table, and the file stays one that runs', async () => {
  await using api = await SupervisedApi.start(TEXT)
  const key = fc.constantFrom(
    'path',
    'type',
    'from',
    'clients',
    '__proto__',
    '<<',
    'max',
    'maxDuration',
    'x y',
    '*a',
    '#',
  )
  const leaf = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.double(), fc.boolean(), fc.constant(null))
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<unknown>('/b', 'gops', 'main', '5s', '/c', '${X}', '*p', '&a'),
      leaf,
      fc.array(tie('value'), { maxLength: 2 }),
      fc.dictionary(key, tie('value'), { maxKeys: 2 }),
    ),
  })).value
  const node = fc.constantFrom('main', 'gops', 'ts')
  await fc.assert(
    fc.asyncProperty(node, fc.dictionary(key, value, { maxKeys: 3 }), fc.boolean(), async (name, edit, isPlan) => {
      const before = await textOf(api)
      const { status, json } = await patch(api, `/api/v1/pipelines/one/nodes/${name}${isPlan ? '?plan=1' : ''}`, edit)
      assert.ok([200, 400, 409, 422].includes(status), `${status} ${JSON.stringify(json)}`)
      if (status !== 200 || isPlan) assert.equal(await textOf(api), before)
      assert.equal((await api.setting.control.plan()).result, 'unchanged')
    }),
    { numRuns: 150 },
  )
})

test('history and rollback take no odd entry as a bug', async () => {
  await using api = await SupervisedApi.start(TEXT)
  assert.equal((await fetch(`${api.url}/api/v1/history`)).status, 200)
  for (const entry of ['0', '-1', '1e3', '99', '9'.repeat(30), 'x', '%00', '__proto__', 'previous', '1.0']) {
    const { status } = await api.post(`/api/v1/history/${entry}/rollback`, {})
    assert.equal(status, 404, entry)
  }
  assert.deepEqual((await api.post('/api/v1/history/1/rollback?plan=1')).status, 200)
})
