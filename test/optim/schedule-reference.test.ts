// Learning rate schedules against PyTorch's answers, step by step.
import { testFamily } from '../conformance/family.js';

testFamily('schedule');
