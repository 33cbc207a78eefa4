import { cases } from '../../specs/record-ring/cases.ts'
import { structureOf, testCases, testStructure } from './structure.ts'

const recordRing = await structureOf('record-ring')

testStructure(recordRing)
testCases(recordRing, cases)
