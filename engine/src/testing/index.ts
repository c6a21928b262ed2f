// The entry point `@millrace/engine/testing`: the contract kit, fakes, and the builder of test streams.
export { contract } from './contract.js'
export type { AuthContractSettings, CommandCheck, ContractSettings, RunningNode } from './contract/contract-settings.js'
export type { ContractDeps } from './contract-bench.js'
export { FakeClock } from './fake-clock.js'
export { FakeContext } from './fake-context.js'
export type { LoggedLine } from './fake-context.js'
export { FakeSecrets } from './fake-secrets.js'
export { FakeStore } from './fake-store.js'
export { HangingServer } from './hanging-server.js'
export { ScriptedPublisher, ScriptedPublishers } from './scripted-publishers.js'
export type { ScriptedWho } from './scripted-publishers.js'
export { TestAudiences } from './test-audiences.js'
export { TestDelivery, TestRoute } from './test-delivery.js'
export { TestEvents } from './test-events.js'
export { TestListeners } from './test-listeners.js'
export { TestProcesses } from './test-processes.js'
export { TestSockets } from './test-sockets.js'
export { TestConnection, TestDatagramTransport, TestStreamTransport } from './test-transports.js'
export { buildTs } from './ts-builder/build-ts.js'
export { onlyClockOf, withJump, withoutCrc, withoutPcr, withoutPids } from './ts-builder/edit-ts.js'
export {
  breakCrc,
  breakSyncByte,
  cutMidPacket,
  dropPackets,
  duplicatePackets,
  junkBetween,
  renumberCounter,
  scramble,
  setTei,
} from './ts-builder/faults.js'
export type { Choice, Damaged } from './ts-builder/faults.js'
export { joinTs } from './ts-builder/join-ts.js'
export { PTS_WRAP } from './ts-builder/pes.js'
export { withStride } from './ts-builder/with-stride.js'
export type { AudioCodec } from './ts-builder/audio-frames.js'
export type { CodedPicture, KeyPicture, VideoPacking } from './ts-builder/video-format.js'
export type {
  AudioPlan,
  BuiltSection,
  BuiltTrack,
  BuiltTs,
  BuiltUnit,
  DataPlan,
  PcrPlan,
  ProgramPlan,
  PsiPlan,
  TsPlan,
  VideoCodec,
  VideoPlan,
} from './ts-builder/ts-plan.js'
