import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Track } from '@millrace/media/mpegts'
import { audioSlots, isSameFeed, MOST_AUDIO, successors, withKept } from './feed-plan.js'
import type { FeedPlan, FeedTrack } from './feed-plan.js'

function track(pid: number, language = '', codec = 'aac'): Track {
  return { pid, streamType: 0x0f, media: 'audio', codec, language, parameterSets: 0 }
}

function kept(slot: number, pid: number, language = '', codec = 'aac'): FeedTrack {
  return { ...track(pid, language, codec), media: 'audio', slot, descriptors: new Uint8Array(0) }
}

function plan(...audio: readonly FeedTrack[]): FeedPlan {
  return { program: 1, pcrPid: 256, video: undefined, audio }
}

describe('the slots of audio tracks', () => {
  const cases: readonly {
    readonly name: string
    readonly announced: readonly Track[]
    readonly chosen?: readonly number[]
    readonly before?: readonly FeedTrack[]
    readonly slots: Readonly<Record<number, number>>
  }[] = [
    { name: 'follow the tables', announced: [track(7), track(5)], slots: { 7: 0, 5: 1 } },
    {
      name: 'are left free for tracks that are announced',
      announced: [track(7), track(5)],
      chosen: [5],
      slots: { 5: 1 },
    },
    { name: 'stay when another track goes', announced: [track(5)], before: [kept(0, 7), kept(1, 5)], slots: { 5: 1 } },
    {
      name: 'stay when another track comes in front',
      announced: [track(9), track(7)],
      before: [kept(0, 7)],
      slots: { 7: 0, 9: 1 },
    },
    {
      name: 'go to the same language on another PID',
      announced: [track(11, 'eng'), track(12, 'deu')],
      before: [kept(0, 7, 'deu'), kept(1, 8, 'eng')],
      slots: { 11: 1, 12: 0 },
    },
    {
      name: 'are not taken from a track that is silent for now',
      announced: [track(7, 'deu'), track(8, 'deu')],
      chosen: [8],
      before: [kept(1, 7, 'deu')],
      slots: { 8: 0 },
    },
  ]
  for (const { name, announced, chosen, before = [], slots } of cases) {
    test(name, () => {
      const those = announced.filter(({ pid }) => chosen?.includes(pid) ?? true)
      assert.deepEqual(Object.fromEntries(audioSlots(announced, those, before)), slots)
    })
  }

  test('are no more than there may be, and none is given twice, whatever is announced', () => {
    const tracks = fc.uniqueArray(fc.integer({ min: 32, max: 200 }), { maxLength: 40 })
    const languages = fc.constantFrom('', 'deu', 'eng')
    fc.assert(
      fc.property(tracks, tracks, languages, (before, now, language) => {
        const old = before.slice(0, MOST_AUDIO).map((pid, slot) => kept(slot, pid, language))
        const announced = now.map((pid) => track(pid, pid % 2 === 0 ? language : 'fra'))
        const slots = [...audioSlots(announced, announced, old).values()]
        assert.equal(new Set(slots).size, slots.length)
        assert.ok(slots.every((slot) => slot >= 0 && slot < MOST_AUDIO))
        assert.ok(slots.length >= Math.min(announced.length, MOST_AUDIO) - old.length)
      }),
    )
  })
})

test('tracks whose PIDs change are followed by PID, then by language, then by codec', () => {
  const before = [kept(0, 1, 'deu'), kept(1, 2, 'eng'), kept(2, 3, 'fra', 'ac3')]
  const after = successors(before, [track(9, 'deu'), track(2, 'eng'), track(10, 'ita', 'ac3')])
  assert.deepEqual(
    before.map((each) => after.get(each)?.pid),
    [9, 2, 10],
  )
  assert.equal(successors([kept(0, 1, '', 'mp2')], [track(1)]).size, 0)
})

test('a track that pauses stays; another language, or another place, is another feed', () => {
  const [deu, eng] = [kept(0, 1, 'deu'), kept(1, 2, 'eng')]
  assert.deepEqual(withKept(plan(eng), plan(deu, eng), () => true).audio, [deu, eng])
  assert.deepEqual(withKept(plan(eng), plan(deu, eng), () => false).audio, [eng])
  assert.ok(isSameFeed(plan(deu), plan(kept(0, 9, 'deu'))))
  assert.ok(!isSameFeed(plan(deu), plan(kept(0, 1, 'eng'))))
  assert.ok(!isSameFeed(plan(deu), plan(kept(0, 1, ''))))
  for (const unsaid of ['', 'und']) assert.ok(isSameFeed(plan(kept(0, 1, unsaid)), plan(deu)), 'nothing new is said')
  assert.ok(!isSameFeed(plan(deu), plan(kept(1, 1, 'deu'))))
  assert.ok(!isSameFeed(plan(deu), plan(deu, eng)))
})
