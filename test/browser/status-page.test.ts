// The status page in the real Chromium: what it shows is what the engine says, live, for whom it may be shown, and nothing
// that a stranger has written becomes a part of the page.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { httpRequest } from '../e2e/kit/http-request.js'
import { type EngineProcess, restartEngine, startEngine } from '../e2e/kit/start-engine.js'
import { SelfSigned } from '../e2e/kit/self-signed.js'
import { TempFolder } from '../e2e/kit/temp-folder.js'
import { until } from '../e2e/kit/until.js'
import { openBrowser } from './kit/browser.js'
import { makeClip } from './kit/clip.js'
import { checkAccessibility } from './kit/accessibility.js'
import { LiveSource } from './kit/live-source.js'

const WAIT_MS = 60_000
const HOSTILE = '<img src=x onerror="document.title=1">'
const COPIES = 3
const FEED_MS = 500

function yaml(port: number, more = ''): string {
  return `version: 1
engine: { api: { address: "127.0.0.1:${port}" }, stateDir: state, drain: 1s }
listeners:
  web: { address: "127.0.0.1:0" }
  pub: { protocol: tcp, address: "127.0.0.1:0", maxPerAddress: 50 }
pipelines:
  one:
    description: '${HOSTILE}'
    inputs: { main: { type: unix, path: main.sock, recorder: { after: 100ms } } }
    transforms:
      check: { type: ts-validate, from: main }
      gops: { type: gop, from: check }
    outputs:
      ts: { type: http-ts, from: gops, listener: web, path: /one.ts }
  cam:
    inputs: { pub: { type: tcp, listener: pub, streams: '*' } }
    outputs: { ts: { type: http-ts, from: pub, listener: web, path: '/cam/\${stream}.ts' } }
services:
  figures: { type: prometheus, listener: web }
${more}`
}

async function tokenOf({ folder }: EngineProcess): Promise<string> {
  return (await readFile(join(folder.path, 'state/api.token'), 'utf8')).trim()
}

describe('the status page', () => {
  let clips: TempFolder
  let engine: EngineProcess
  let browser: Browser
  let source: LiveSource
  const publishers: Socket[] = []
  let feeding: NodeJS.Timeout | undefined

  before(async () => {
    clips = await TempFolder.make()
    const clip = join(clips.path, 'one.ts')
    await makeClip(clip, { durationS: 100, keyFrames: 1 })
    engine = await startEngine({ yaml: yaml(0) })
    browser = await openBrowser()
    source = await LiveSource.start(clip, join(engine.folder.path, 'main.sock'))
    const status = await engine.status()
    const port = Number(
      status.listeners
        .find(({ name }) => name === 'pub')
        ?.address.split(':')
        .pop(),
    )
    const bytes = (await readFile(clip)).subarray(0, 188 * 200)
    for (let at = 0; at < COPIES; at++) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined)
      await once(socket, 'connect')
      socket.write(`camera-${at}\n`)
      socket.write(bytes)
      publishers.push(socket)
    }
    feeding = setInterval(() => publishers.forEach((socket) => socket.write(bytes)), FEED_MS)
  })
  after(async () => {
    clearInterval(feeding)
    for (const socket of publishers) socket.destroy()
    await browser?.close()
    await source?.[Symbol.asyncDispose]()
    await engine?.[Symbol.asyncDispose]()
    await clips?.[Symbol.asyncDispose]()
  })

  /** `faults`: errors of scripts, messages of the console, what the policy has refused. */
  async function open(hash = '#/', options: BrowserContextOptions = {}): Promise<{ page: Page; faults: string[] }> {
    const page = await browser.newPage(options)
    page.setDefaultTimeout(WAIT_MS)
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text())
    })
    await page.goto(`${engine.api}/${hash}`)
    return { page, faults }
  }

  const untilText = (page: Page, selector: string, wanted: string): Promise<unknown> =>
    page.waitForFunction(
      ([where = '', text = '']) => document.querySelector(where)?.textContent?.includes(text),
      [selector, wanted],
      { timeout: WAIT_MS },
    )

  test('shows pipelines, graph and rates, live, without a fault', async () => {
    const { page, faults } = await open()
    const boxes = page.locator('.graph a')
    await boxes.nth(3).waitFor()
    assert.deepEqual(await page.locator('.graph .name').allTextContents(), ['main', 'check', 'gops', 'ts'])
    await page.waitForFunction(() => /0\.[1-9]/.test(document.querySelector('.graph .rate')?.textContent ?? ''))
    await untilText(page, '.graph', '0 viewers')
    const viewer = new AbortController()
    const response = await fetch(await engine.url('one/ts'), { signal: viewer.signal })
    void response.body?.pipeTo(new WritableStream()).catch(() => undefined)
    await untilText(page, '.graph', '1 viewer')
    await untilText(page, '#figures', 'Viewers1')
    viewer.abort()
    await untilText(page, '.graph', '0 viewers')
    const check = await httpRequest(`${engine.api}/api/v1/pipelines/one/nodes/check/explain`)
    await page.goto(`${engine.api}/#/nodes/one/check`)
    await untilText(page, '.checks', 'CC ok')
    await page.getByRole('button', { name: 'Why is there no picture?' }).click()
    const { sentence } = JSON.parse(check.text) as { readonly sentence: string }
    await untilText(page, '.answer', sentence)
    assert.deepEqual(faults, [])
    await page.close()
  })

  test('is served with a policy that forbids all that is not its own, and is not sent twice', async () => {
    const first = await httpRequest(`${engine.api}/`)
    assert.equal(first.status, 200)
    assert.match(
      String(first.headers['content-security-policy']),
      /^default-src 'none'; script-src 'self'; style-src 'self'/,
    )
    assert.equal(first.headers['x-content-type-options'], 'nosniff')
    const again = { headers: { 'if-none-match': first.headers.etag ?? '' } }
    assert.deepEqual([(await httpRequest(`${engine.api}/`, again)).status], [304])
    const [, script = ''] = /src="\.([^"]+page\.js)"/.exec(first.text) ?? []
    const file = await httpRequest(`${engine.api}${script}`)
    assert.deepEqual([file.status, file.headers['content-type']], [200, 'text/javascript; charset=utf-8'])
    assert.equal((await httpRequest(`${engine.api}${script.replace('page.js', '..%2fpackage.json')}`)).status, 404)
    assert.equal((await httpRequest(`${engine.api}/`, { headers: { host: 'evil.example' } })).status, 421)
  })

  test('what strangers write is text and nothing else', async () => {
    const viewer = new AbortController()
    const headers = { 'user-agent': HOSTILE }
    const response = await fetch(await engine.url('one/ts'), { signal: viewer.signal, headers })
    void response.body?.pipeTo(new WritableStream()).catch(() => undefined)
    const { page, faults } = await open('#/pipelines/one')
    await untilText(page, 'main', HOSTILE)
    await page.locator('td', { hasText: HOSTILE }).waitFor()
    assert.equal(await page.locator('img').count(), 0)
    const refused = await page.evaluate(() => {
      try {
        document.body.innerHTML = 'x'
        return false
      } catch {
        return true
      }
    })
    assert.ok(refused, 'no text can become markup')
    assert.equal(faults.filter((fault) => !fault.includes('Trusted')).length, 0, faults.join('\n'))
    viewer.abort()
    await page.close()
  })

  test('shows all copies of a pattern pipeline as one row, and each of them when asked', async () => {
    const asked: URL[] = []
    const { page } = await open()
    page.on('request', (request) => asked.push(new URL(request.url())))
    const row = page.locator('tr', { hasText: 'cam@*' })
    await row.getByText(`${COPIES} copies`).waitFor()
    assert.ok(
      !asked.some(({ pathname, search }) => pathname.endsWith('/status') && search === ''),
      'the copies have not been asked for',
    )
    await row.getByRole('link', { name: 'cam@*' }).click()
    const copies = page.getByRole('table', { name: 'Copies' })
    await copies
      .locator('tbody tr')
      .nth(COPIES - 1)
      .waitFor()
    assert.deepEqual((await copies.locator('tbody th').allTextContents()).sort(), [
      'cam@camera-0',
      'cam@camera-1',
      'cam@camera-2',
    ])
    await page.getByRole('link', { name: 'cam@camera-1' }).click()
    await page.locator('.graph a').nth(1).waitFor()
    await page.goto(`${engine.api}/#/pipelines/cam%40nobody`)
    await untilText(page, 'main', 'There is no such pipeline any more.')
    assert.deepEqual(await page.locator('main .state:visible').allTextContents(), [], 'it has no state')
    await page.close()
  })

  test('is used without a mouse, at the size of a phone and of a desk, light and dark', async () => {
    for (const options of [
      { colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
      { colorScheme: 'light', viewport: { width: 360, height: 740 } },
    ] as const) {
      for (const hash of ['#/', '#/nodes/one/check', '#/viewers', '#/log']) {
        const { page } = await open(hash, options)
        await page.locator('section').last().waitFor()
        await untilText(page, '#figures', 'Version')
        assert.deepEqual(await checkAccessibility(page), [], `${options.viewport.width} ${hash}`)
        await page.close()
      }
    }
  })

  test('asks for the token from elsewhere, keeps a session that scripts can not read, and ends it', async () => {
    // A proxy in front of the engine: the connection is local, the client is not.
    const elsewhere = { extraHTTPHeaders: { 'x-forwarded-for': '192.0.2.9' } }
    const context = await browser.newContext(elsewhere)
    const page = await context.newPage()
    await page.goto(`${engine.api}/`)
    const field = page.getByLabel('Token of the control API')
    await field.fill('not-the-token')
    await page.keyboard.press('Enter')
    await page.getByText('This is not the token of this engine.').waitFor()
    assert.equal(await page.locator('.graph').count(), 0)
    await field.fill(await tokenOf(engine))
    await page.keyboard.press('Enter')
    await page.locator('.graph a').first().waitFor()
    const [cookie] = await context.cookies()
    assert.deepEqual([cookie?.httpOnly, cookie?.sameSite], [true, 'Strict'])
    assert.match(cookie?.name ?? '', /^millrace_\d+$/)
    const second = await context.newPage()
    await second.goto(`${engine.api}/#/events`)
    await untilText(second, '.lines', 'ready')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Token of the control API').waitFor()
    await second.getByLabel('Token of the control API').waitFor()
    for (const each of ['#verdict', '#figures', '#problems']) {
      assert.equal(await second.locator(each).isVisible(), false, `${each} is of somebody who has signed out`)
    }
    // Each change of the size draws the page.
    await second.evaluate(async () => {
      window.dispatchEvent(new Event('resize'))
      for (let frames = 0; frames < 2; frames++) await new Promise((resolve) => requestAnimationFrame(resolve))
    })
    assert.deepEqual(
      [await second.title(), await second.locator('#verdict').isVisible()],
      ['Sign in - Millrace', false],
    )
    await context.close()
  })

  test('changes the engine after a question with the viewers it hits, for those who have signed in', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    page.setDefaultTimeout(WAIT_MS)
    const viewer = new AbortController()
    const response = await fetch(await engine.url('one/ts'), { signal: viewer.signal })
    const ended = response.body?.pipeTo(new WritableStream()).catch(() => undefined)
    const dialog = page.getByRole('dialog')
    const press = (name: string, within = dialog): Promise<void> => within.getByRole('button', { name }).click()
    await page.goto(`${engine.api}/#/nodes/one/gops`)
    await untilText(page, '#figures', 'Viewers1')
    // Reading needs no token here, changing does.
    await page.getByRole('button', { name: 'Restart' }).click()
    await dialog.getByLabel('Token of the control API').fill(await tokenOf(engine))
    await page.keyboard.press('Enter')
    await untilText(page, 'dialog', '1 viewer is behind it.')
    assert.deepEqual(await checkAccessibility(page), [])
    await press('Restart')
    await untilText(page, 'dialog', 'one/gops was restarted')
    await press('Close')
    await page.getByRole('button', { name: 'Disable' }).click()
    await press('Disable')
    await untilText(page, 'dialog', 'one/gops is disabled')
    await press('Close')
    await page.getByRole('button', { name: 'Enable' }).click()
    await press('Enable')
    await untilText(page, 'dialog', 'one/gops is enabled')
    await press('Close')
    await page.goto(`${engine.api}/#/nodes/services/figures`)
    await page.getByRole('button', { name: 'Restart' }).click()
    await untilText(page, 'dialog', 'Who uses it waits for it.')
    await press('Restart')
    await untilText(page, 'dialog', 'services/figures was restarted')
    await press('Close')
    await page.goto(`${engine.api}/#/nodes/one/main`)
    await untilText(page, '.options', 'unix')
    await page.getByRole('button', { name: 'Record' }).click()
    await press('Record')
    await untilText(page, 'dialog', 'one/main is recorded to')
    await press('Close')
    await page.goto(`${engine.api}/#/viewers`)
    await page.getByRole('button', { name: 'Disconnect 127.0.0.1' }).click()
    await untilText(page, 'dialog', '1 viewer loses its stream.')
    await press('Disconnect')
    await untilText(page, 'dialog', 'was disconnected')
    await ended
    await press('Close')
    await context.close()
  })

  test('reloads the files over TLS after a look at the plan', async () => {
    await using certificate = await SelfSigned.make('localhost')
    const { cert, key } = certificate.tls
    const tls =
      'web: { address: "127.0.0.1:0" }\n  api: { address: "127.0.0.1:0", tls: { cert: cert.pem, key: key.pem } }'
    const before = yaml(0)
      .replace('web: { address: "127.0.0.1:0" }', tls)
      .replace('engine: { api: { address: "127.0.0.1:0" }, ', 'engine: { ')
    const files = { 'cert.pem': cert, 'key.pem': key }
    await using own = await startEngine({ yaml: before, files, args: ['--no-watch'] })
    assert.match(own.api, /^https:/)
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    const page = await context.newPage()
    page.setDefaultTimeout(WAIT_MS)
    await page.goto(`${own.api}/`)
    const dialog = page.getByRole('dialog')
    const plan = async (token?: string): Promise<void> => {
      await page.getByRole('button', { name: 'Reload' }).click()
      if (token === undefined) return
      await dialog.getByLabel('Token of the control API').fill(token)
      await page.keyboard.press('Enter')
    }
    await plan(await tokenOf(own))
    await untilText(page, 'dialog', 'There is nothing to reload.')
    const [cookie] = await context.cookies()
    assert.deepEqual([cookie?.secure, cookie?.httpOnly], [true, true])
    await page.keyboard.press('Escape')
    await own.folder.write('pipeline.yaml', before.replace('from: check', 'from: chekc'))
    await plan()
    await untilText(page, 'dialog', 'The files cannot be applied: invalid')
    await untilText(page, 'dialog', 'chekc')
    await page.keyboard.press('Escape')
    await own.folder.write('pipeline.yaml', before.replace('/one.ts', '/two.ts'))
    await plan()
    await untilText(page, 'dialog', '0 viewers kept, 0 lost.')
    await untilText(page, 'dialog', 'one/ts')
    await dialog.getByRole('button', { name: 'Apply' }).click()
    await untilText(page, 'dialog', 'The files were applied')
    await page.keyboard.press('Escape')
    await page.goto(`${own.api}/#/nodes/one/ts`)
    await untilText(page, 'main', '/two.ts')
    await context.close()
  })

  test('a foreign page can change nothing, even with the session of somebody who has signed in', async () => {
    const token = await tokenOf(engine)
    const json = { 'content-type': 'application/json' }
    const signIn = await httpRequest(`${engine.api}/api/v1/session`, {
      ...{ method: 'POST', headers: json, body: JSON.stringify({ token }) },
    })
    const cookie = String(signIn.headers['set-cookie']).split(';', 1)[0] ?? ''
    const change = async (headers: Record<string, string>): Promise<number> => {
      const path = `${engine.api}/api/v1/pipelines/one/nodes/gops/restart`
      return (await httpRequest(path, { method: 'POST', headers: { ...json, cookie, ...headers } })).status
    }
    const own = engine.api
    assert.equal(await change({}), 401)
    assert.equal(await change({ origin: 'http://evil.example' }), 403)
    assert.equal(await change({ origin: own, 'sec-fetch-site': 'cross-site' }), 401)
    assert.equal(await change({ origin: own, 'content-type': 'text/plain' }), 415)
    assert.equal(await change({ origin: own, 'sec-fetch-site': 'same-origin' }), 200)
  })

  test('ages are as the engine tells them, whatever the clock of the browser says', async () => {
    const page = await browser.newPage()
    await page.addInitScript(() => {
      const now = Date.now.bind(Date)
      Date.now = () => now() + 86_400_000
    })
    await page.goto(`${engine.api}/#/nodes/one/gops`)
    await page.waitForFunction(() => /Key frame\d+\.\ds ago/.test(document.querySelector('main')?.textContent ?? ''))
    assert.match((await page.locator('#figures').textContent()) ?? '', /^Up(\d+s|\dm\d\ds)In/)
    assert.doesNotMatch((await page.locator('main').textContent()) ?? '', /no key frame/)
    await page.close()
  })

  test('a lost engine is said, and comes back by itself', async () => {
    const own = await startEngine({ yaml: yaml(0) })
    let next: EngineProcess | undefined
    try {
      const page = await browser.newPage()
      await page.goto(`${own.api}/`)
      await page.locator('.graph a').first().waitFor()
      const boxes = await page.locator('.graph a').count()
      own.child.signal('SIGKILL')
      await own.child.exited
      await untilText(page, '#verdict', 'No answer')
      assert.match((await page.locator('body').getAttribute('class')) ?? '', /lost/)
      assert.equal(await page.locator('.graph a').count(), boxes, 'the last picture stays')
      next = await restartEngine(own.folder, yaml(Number(new URL(own.api).port)))
      await page.waitForFunction(() => !document.body.classList.contains('lost'))
      await until(async () => !(await page.locator('#verdict').textContent())?.includes('No answer'), 'the verdict')
      await page.close()
    } finally {
      await next?.child[Symbol.asyncDispose]()
      await own[Symbol.asyncDispose]()
    }
  })
})
