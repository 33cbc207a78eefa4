/** The checker: takes a program through every distinct interleaving. */
export { ProgramError } from '../model/validate.ts'
export { type Check, checkedProgram, type Mutant, unmet } from './check.ts'
export { estimate } from './estimate.ts'
export { explore } from './explore.ts'
export { exploreFewPreemptions } from './few-preemptions.ts'
export { GuaranteeError, guarantee } from './guarantee.ts'
export { drawHistory } from './history-text.ts'
export { type Explanation, explainHistory, type Operation } from './linearizability.ts'
export { canonicalOutcome } from './outcome.ts'
export { exploreAtRandom } from './random.ts'
export { replay } from './replay.ts'
export type {
  AtRandom,
  Bounds,
  ByPreemptions,
  Covered,
  Estimate,
  ExploreOptions,
  Failure,
  FailureKind,
  FewPreemptionsOptions,
  Progress,
  RandomOptions,
  Report,
  TraceStep,
  Verdict,
} from './report.ts'
export {
  type Role,
  role,
  type Scenario,
  type ScenarioBounds,
  type ScenarioCall,
  type ScenarioOperation,
  type ScenarioThread,
  type Subject,
  scenarioName,
  scenarioProgram,
  scenarios,
} from './scenario.ts'
export { exploreScenarios, type FastCheck, type ScenarioOptions, type ScenarioReport, scenariosText } from './scenario-search.ts'
export { ScheduleError } from './schedule.ts'
