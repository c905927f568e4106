import type * as sdk from "@aws-sdk/client-ec2";
import { type Operations, reads } from "../operation.ts";
import { type Facets, filtered, paged } from "./filters.ts";
import type { Image } from "./model.ts";
import { tagList } from "./shelf.ts";
import type { Ec2State } from "./state.ts";

const facets: Facets<Image> = {
  "image-id": ({ id }) => [id],
  name: ({ name }) => [name],
  architecture: ({ architecture }) => [architecture],
  "owner-id": ({ owner }) => [owner],
  state: ({ state }) => [state],
};

const shown = (image: Image) => ({
  ImageId: image.id,
  Name: image.name,
  OwnerId: image.owner,
  Architecture: image.architecture,
  State: image.state,
  Public: false,
  ImageType: "machine",
  RootDeviceName: image.rootDeviceName,
  RootDeviceType: "ebs",
  VirtualizationType: "hvm",
  EnaSupport: true,
  CreationDate: new Date(image.born).toISOString(),
  BlockDeviceMappings: [
    { DeviceName: image.rootDeviceName, Ebs: { VolumeSize: image.volumeGiB, VolumeType: "gp3", DeleteOnTermination: true } },
  ],
  Tags: tagList(image.tags),
});

export const imageOperations = (state: Ec2State): Operations => ({
  DescribeImages: reads<sdk.DescribeImagesCommandInput>(["ImageIds", "Owners", "Filters", "MaxResults", "NextToken"], (input) => {
    const owners = input.Owners?.map((owner) => (owner === "self" ? state.universe.account : owner));
    const owned = state.images.seen(input.ImageIds).filter(({ owner }) => owners === undefined || owners.includes(owner));
    const { page, ...rest } = paged(filtered(owned, input.Filters, facets), input, state.pageSize);
    return { Images: page.map(shown), ...rest };
  }),
});
