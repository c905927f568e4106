import type { InventoryItem, Operation, Service, Universe } from "../service.ts";
import { Agents } from "./agents.ts";
import { ParameterStore } from "./parameters.ts";
import { RunCommand } from "./run-command.ts";

/** Systems Manager: Parameter Store, managed instances, Run Command. */
export class Ssm implements Service {
  readonly name = "ssm" as const;
  readonly parameters: ParameterStore;
  readonly agents: Agents;
  readonly commands: RunCommand;
  readonly operations: Readonly<Record<string, Operation>>;

  constructor(universe: Universe) {
    this.parameters = new ParameterStore(universe);
    this.agents = new Agents(() => universe.clock.now());
    this.commands = new RunCommand(universe, this.agents);
    this.operations = { ...this.parameters.operations, ...this.agents.operations, ...this.commands.operations };
  }

  inventory(): readonly InventoryItem[] {
    return this.parameters.inventory();
  }
}
