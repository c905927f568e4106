"""moto's server with what the workflow waits for and moto leaves out. No file of moto is changed.

Each addition has its source: what AWS does, and where moto 5.2.5 was seen to do otherwise.
Usage: moto_lab.py PROFILE...   Makes these instance profiles, which no other service of the lab could.
Environment: LAB_ENGINE wakes moto's own Step Functions interpreter, which calls AWS on MOTO_PORT; MOTO_AMIS_PATH names a file with the lab's one image; LAB_PENDING_SECONDS says how long an endpoint is pending.
Prints one line, `ready PORT`, when it listens, and ends when its standard input does.
"""
import ipaddress
import os
import re
import sys
import threading
import time

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instances import Instance
from moto.ec2.models.nat_gateways import NatGatewayBackend
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.models.vpcs import VPCBackend, VPCEndPoint
from moto.ec2.responses.vpcs import VPCs
from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

PENDING_SECONDS = float(os.environ["LAB_PENDING_SECONDS"])


def refuse(kind, what):
    raise EC2ClientError("DependencyViolation", f"The {kind} '{what}' has dependencies and cannot be deleted.")


def endpoint_addresses():
    """EC2 guide, "AWS PrivateLink concepts": an endpoint's network interface has an address of its subnet; moto takes one from anywhere."""
    create = VPCBackend.create_vpc_endpoint

    def create_vpc_endpoint(self, vpc_id, service_name, endpoint_type, *rest, **named):
        endpoint = create(self, vpc_id, service_name, endpoint_type, *rest, **named)
        if (endpoint_type or "").lower() == "interface":
            for interface_id in endpoint.network_interface_ids:
                interface = self.enis[interface_id]
                address = free_address(self, interface.subnet)
                interface.private_ip_address = address
                interface.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": address}]
                interface.description = f"VPC Endpoint Interface {endpoint.id}"
                interface.interface_type = "vpc_endpoint"
                interface.requester_managed = True
        return endpoint

    VPCBackend.create_vpc_endpoint = create_vpc_endpoint


def free_address(backend, subnet):
    """From the top of the subnet down, where neither planned control planes nor moto's own first addresses lie."""
    taken = {interface.private_ip_address for interface in backend.enis.values() if interface.subnet.id == subnet.id}
    network = ipaddress.ip_network(subnet.cidr_block)
    for offset in range(2, network.num_addresses - 4):
        address = str(network.broadcast_address - offset)
        if address not in taken:
            return address
    raise EC2ClientError("InsufficientFreeAddressesInSubnet", f"{subnet.id} is full")


def endpoint_phases():
    """API reference, VpcEndpoint.State: pending, then available, then deleted and gone; and the private name among its DNS entries.
    moto has no phase, keeps deleted ones for ever and names no private host (facts, wire 2)."""
    describe = VPCBackend.describe_vpc_endpoints
    make, delete = VPCEndPoint.__init__, VPCBackend.delete_vpc_endpoints

    def init(self, *args, **named):
        make(self, *args, **named)
        self.born = time.monotonic()

    def describe_vpc_endpoints(self, vpc_end_point_ids=None, filters=None):
        for endpoint in list(self.vpc_end_points.values()):
            if endpoint.state == "deleted":
                if time.monotonic() - endpoint.died > PENDING_SECONDS:
                    self.vpc_end_points.pop(endpoint.id)
                continue
            is_ready = time.monotonic() - endpoint.born > PENDING_SECONDS
            endpoint.state = "available" if is_ready else "pending"
            if is_ready and endpoint.vpc_endpoint_type.lower() == "interface":
                name = f"{endpoint.service_name.split('.', 3)[3]}.{self.region_name}.amazonaws.com"
                public = [entry for entry in endpoint.dns_entries if entry["dns_name"] != name]
                private = [{"dns_name": name, "hosted_zone_id": "Z1"}] if endpoint.private_dns_enabled else []
                endpoint.dns_entries = public + private
        return describe(self, vpc_end_point_ids, filters)

    def delete_vpc_endpoints(self, vpce_ids=None):
        for endpoint_id in vpce_ids or []:
            endpoint = self.vpc_end_points.get(endpoint_id)
            if endpoint is not None and endpoint.state != "deleted":
                endpoint.died = time.monotonic()
        delete(self, vpce_ids)

    VPCEndPoint.__init__ = init
    VPCBackend.describe_vpc_endpoints = describe_vpc_endpoints
    VPCBackend.delete_vpc_endpoints = delete_vpc_endpoints


def private_dns_option():
    """API reference, ModifyVpcEndpoint: PrivateDnsEnabled. moto 5.2.5 does not read it."""
    modify = VPCs.modify_vpc_endpoint

    def modify_vpc_endpoint(self):
        wanted = self._get_bool_param("PrivateDnsEnabled")
        if wanted is not None:
            self.ec2_backend.vpc_end_points[self._get_param("VpcEndpointId")].private_dns_enabled = wanted
        return modify(self)

    VPCs.modify_vpc_endpoint = modify_vpc_endpoint


def dependencies():
    """EC2 API reference, common error DependencyViolation: a subnet or a group that an interface still uses, a group that another names,
    a VPC with groups or gateways. moto deletes all of these (facts, wire 2)."""
    delete_subnet, delete_group = SubnetBackend.delete_subnet, SecurityGroupBackend.delete_security_group
    delete_vpc = VPCBackend.delete_vpc

    def in_use(backend):
        living = {i.id for r in backend.reservations.values() for i in r.instances if i.state not in ("terminated", "shutting-down")}
        return [e for e in backend.enis.values() if e.instance is None or e.instance.id in living]

    def checked_subnet(self, subnet_id):
        if any(interface.subnet.id == subnet_id for interface in in_use(self)):
            refuse("subnet", subnet_id)
        return delete_subnet(self, subnet_id)

    def checked_group(self, name=None, group_id=None):
        endpoints = [e for e in self.vpc_end_points.values() if e.state != "deleted"]
        if any(group.id == group_id for interface in in_use(self) for group in interface.group_set):
            refuse("security group", group_id)
        if any(group_id in (endpoint.security_group_ids or []) for endpoint in endpoints):
            refuse("security group", group_id)
        for groups in self.groups.values():
            for other in groups.values():
                rules = [*other.ingress_rules, *other.egress_rules]
                if other.id != group_id and any(rule.source_group.get("GroupId") == group_id for rule in rules):
                    refuse("security group", group_id)
        return delete_group(self, name, group_id)

    def checked_vpc(self, vpc_id):
        own = [g for g in self.groups.get(vpc_id, {}).values() if g.name != "default"]
        gateways = [g for g in self.internet_gateways.values() if g.vpc and g.vpc.id == vpc_id]
        if own or gateways:
            refuse("vpc", vpc_id)
        return delete_vpc(self, vpc_id)

    SubnetBackend.delete_subnet = checked_subnet
    SecurityGroupBackend.delete_security_group = checked_group
    VPCBackend.delete_vpc = checked_vpc


def interfaces_end():
    """EC2 guide, "Network interfaces": the one that an instance was launched with goes with it, and so does a NAT gateway's; moto keeps
    both (facts, wire recheck 3; seen with 5.2.5)."""
    terminate = Instance.terminate
    delete_gateway = NatGatewayBackend.delete_nat_gateway

    def and_its_interfaces(self):
        result = terminate(self)
        for interface in list(self.nics.values()):
            self.ec2_backend.enis.pop(interface.id, None)
        return result

    def gateway_and_its_interface(self, nat_gateway_id):
        gateway = delete_gateway(self, nat_gateway_id)
        self.enis.pop(gateway._eni.id, None)
        return gateway

    Instance.terminate = and_its_interfaces
    NatGatewayBackend.delete_nat_gateway = gateway_and_its_interface


def service_filters():
    """API reference, DescribeVpcEndpointServices: its filters are a name and values, as all of EC2's; moto 5.2.5 looks for one it calls
    Value, and answers 500 (facts, wire recheck 3)."""
    keep = VPCBackend._filter_endpoint_services

    def filtered(names, filters, services):
        return keep(names, [{**one, "Value": one.get("Values", [])} for one in filters], services)

    VPCBackend._filter_endpoint_services = staticmethod(filtered)


def own_interpreter():
    """moto's Step Functions interpreter, for --engine moto: it runs what it is given only when it is told to."""
    from moto.core.config import default_user_config

    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    definite_paths()
    nested_executions()


def definite_paths():
    """Amazon States Language, paths: one that names every step, such as `$[2].api`, selects a value and not a list of one. moto gives the
    list whenever an index stands before the last step (its answer to getmoto/moto#7825)."""
    # Before anything of the interpreter is loaded, since each part of it takes this function by name.
    from moto.stepfunctions.parser.asl.utils import json_path

    extract = json_path.extract_json

    def extract_json(path, data):
        value = extract(path, data)
        is_definite = re.fullmatch(r"\$(?:\.\w+|\[\d+\])*", path)
        return value[0] if is_definite and re.search(r"\]\.\w+$", path) and isinstance(value, list) and len(value) == 1 else value

    json_path.extract_json = extract_json


def nested_executions():
    """Step Functions guide, "Start workflow executions": parameters and results of startExecution are in pascal case. moto's interpreter
    hands them to boto3's camel case as they are, and fails with 'StateMachineArn' (getmoto/moto#10076); the converters are there."""
    from botocore.session import get_session
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import StateTaskServiceSfn

    model = get_session().get_service_model("stepfunctions")
    operations = {name: model.operation_model(operation) for name, operation in
                  (("start_execution", "StartExecution"), ("describe_execution", "DescribeExecution"))}
    to_request, evaluate = StateTaskServiceSfn._normalise_parameters, StateTaskServiceSfn._eval_service_task

    def normalise_parameters(self, parameters, boto_service_name=None, service_action_name=None):
        to_request(self, parameters, boto_service_name, service_action_name)
        operation = operations.get(service_action_name or self._get_boto_service_action())
        if operation:
            self._to_boto_request(parameters, operation.input_shape)

    def normalise_response(self, response, boto_service_name=None, service_action_name=None):
        operation = operations.get(service_action_name or self._get_boto_service_action())
        if operation:
            self._from_boto_response(response, operation.output_shape)
        for key, value in list(response.items()):
            # AWS gives milliseconds; a date in the data makes DescribeExecution answer 500 for ever after.
            if hasattr(value, "timestamp"):
                response[key] = int(value.timestamp() * 1000)

    def and_its_answer(self, env, **named):
        evaluate(self, env=env, **named)
        # What waits for the end of the child reads its ARN from here, before the base class would have put it into pascal case.
        self._normalise_response(env.stack[-1])

    StateTaskServiceSfn._normalise_parameters = normalise_parameters
    StateTaskServiceSfn._normalise_response = normalise_response
    StateTaskServiceSfn._eval_service_task = and_its_answer


def main():
    if os.environ.get("LAB_ENGINE"):
        own_interpreter()
    interfaces_end()
    service_filters()
    endpoint_addresses()
    endpoint_phases()
    private_dns_option()
    dependencies()
    for profile in sys.argv[1:]:
        iam_backends[DEFAULT_ACCOUNT_ID]["aws"].create_instance_profile(profile, "/", [])
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    print(f"ready {server.port}", flush=True)
    # Whoever started it holds the other end of its standard input: it never outlives them, however they end.
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
