import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BehaviorSubject } from 'rxjs'
import { FakeContext } from '../testing/fake-context.js'
import { offerWhileOpen } from './offer-while-open.js'

test('a node is offered to each listener that opens in turn, and withdrawn before the next and at the end', () => {
  const value$ = new BehaviorSubject<string | undefined>(undefined)
  const [context, offered] = [new FakeContext(), new Set<string>()]
  const offer = offerWhileOpen({ name: 'srt', value$ }, context, (open) => {
    offered.add(open)
    return { [Symbol.dispose]: () => void offered.delete(open) }
  })
  assert.deepEqual([context.reported, [...offered]], [['degraded: the listener "srt" is not open'], []])
  value$.next('first')
  assert.deepEqual([context.reported.at(-1), [...offered]], ['ready', ['first']])
  value$.next('second')
  assert.deepEqual([...offered], ['second'])
  offer[Symbol.dispose]()
  value$.next('third')
  assert.deepEqual([[...offered], value$.observed], [[], false])
})
