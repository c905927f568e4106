/** A Python program that asks a name server for an address and prints it: hosts have Python, and no dig. */
export const dnsQuestion = (server: string, name: string): string => `
import socket, struct
question = b"".join(bytes([len(part)]) + part.encode() for part in ${JSON.stringify(name)}.split(".")) + b"\\0" + struct.pack(">HH", 1, 1)
asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asked.settimeout(3)
asked.sendto(struct.pack(">HHHHHH", 7, 256, 1, 0, 0, 0) + question, (${JSON.stringify(server)}, 53))
answer = asked.recv(512)
count = struct.unpack(">H", answer[6:8])[0]
print(socket.inet_ntoa(answer[-4:]) if count else "nothing")
`;
