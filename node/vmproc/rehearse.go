package vmproc

import (
	"bytes"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/migrated/migrated/image"
	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
)

// rehearse reads what a daemon sends for a start, and what the source's process sends for one at the target,
// with nothing in it. A start waits for none of what is done but once then, and a guest that stands still does
// not either: code comes from the file, and decoders work out the types.
func rehearse() {
	spoken := []proto.Message{
		&pb.ToVM{Request: &pb.ToVM_Make{Make: &pb.ProcessMake{Config: []byte{1}, Isa: "-", Level: "-", Memory: 1, Args: []string{"-"}}}},
		&pb.ToVM{Request: &pb.ToVM_Arm{Arm: &pb.ProcessArm{Start: true, Vm: &pb.VM{
			Id: "-", Memory: 1, Args: []string{"-"}, Created: timestamppb.Now(), Stays: []*pb.Stay{{Node: "-", LogEnd: -1}},
		}}}},
		&pb.FromVM{Message: &pb.FromVM_Status{Status: &pb.ProcessStatus{Confinement: []*pb.Confinement{{Means: "-"}}}}},
		&pb.FromVM{Message: &pb.FromVM_Output{Output: &pb.ProcessOutput{LogEnd: 1}}},
		&pb.FromVM{Message: &pb.FromVM_Resumed{Resumed: &pb.ProcessResumed{At: 1}}},
	}
	for _, m := range spoken {
		if b, err := proto.Marshal(proto.Clone(m)); err == nil {
			_ = proto.Unmarshal(b, m)
		}
	}
	left := appendAtRest(nil, &pb.AtRest{Left: LeftToWire(&vmm.Left{Quiesce: 1})})
	_, _ = readAtRest(bytes.NewReader(left))
	_, _ = image.ParseConfig([]byte("{}")) // which it is not
}
