import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Subject, Observable } from 'rxjs'
import { createClock } from '../../observe/clock.js'
import { createNodeScope } from './node-scope.js'

/** A stream whose only subscriber throws what it gets. */
function throwing(): Subject<Error> {
  const subject = new Subject<Error>()
  subject.subscribe((error) => {
    throw error
  })
  return subject
}

/** RxJS reports from timers of its own. */
async function reported(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0))
  await new Promise((resolve) => setImmediate(resolve))
}

test('what a subscriber throws is the failure of the node whose code ran, of the inner one where two are nested', async () => {
  const strays: unknown[] = []
  using scope = createNodeScope((error) => strays.push(error))
  const failed: string[] = []
  const fails = (name: string) => (error: unknown) => failed.push(`${name}: ${(error as Error).message}`)
  const subject = throwing()
  scope.enter(fails('outer'), () => {
    subject.next(new Error('before'))
    scope.enter(fails('inner'), () => subject.next(new Error('inside')))
    subject.next(new Error('behind'))
  })
  await reported()
  assert.deepEqual(failed, ['outer: before', 'inner: inside', 'outer: behind'])
  assert.deepEqual(strays, [])
})

test('what is thrown itself fails the node at once, and the scope ends with it', async () => {
  const strays: unknown[] = []
  using scope = createNodeScope((error) => strays.push(error))
  const failed: unknown[] = []
  const [thrown, later] = [new Error('thrown'), new Error('later')]
  scope.enter(
    (error) => failed.push(error),
    () => {
      throw thrown
    },
  )
  assert.deepEqual(failed, [thrown])
  throwing().next(later)
  await reported()
  assert.deepEqual([failed, strays], [[thrown], [later]])
})

test('timers of a clock that enters the scope are in it', async () => {
  const strays: unknown[] = []
  using scope = createNodeScope((error) => strays.push(error))
  using clock = createClock()
  const broken = new Error('broken')
  const failed = await new Promise((resolve) => {
    const ofNode = clock.scope((run) => scope.enter(resolve, run))
    ofNode.after(1, () => throwing().next(broken))
  })
  assert.equal(failed, broken)
  assert.deepEqual(strays, [])
})

test('a subscriber without a handler of errors fails the node in whose code the stream failed', async () => {
  using scope = createNodeScope(() => assert.fail('it belongs to nobody'))
  const broken = new Error('broken')
  const failed: unknown[] = []
  scope.enter(
    (error) => failed.push(error),
    () => void new Observable((subscriber) => subscriber.error(broken)).subscribe(),
  )
  await reported()
  assert.deepEqual(failed, [broken])
})
