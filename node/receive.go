package node

import (
	"errors"
	"io"
	"path"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/migrated/migrated/proto/migrated/v1"
	"github.com/migrated/migrated/vmm"
)

// maxFiles bounds what a run may carry in files, bytes; they are held until it starts.
const maxFiles = 1 << 30

var errRunCut = status.Error(codes.InvalidArgument, "the request to run ends early")

// receiveRun takes a spec and the contents of files, part by part up to io.EOF.
func receiveRun(next func() (*pb.RunRequest, error)) (*pb.RunSpec, []vmm.File, error) {
	var spec *pb.RunSpec
	var files []vmm.File
	var left, total uint64 // of the file that is coming; of all, bytes
	for {
		req, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		switch part := req.Part.(type) {
		case *pb.RunRequest_Spec:
			if spec != nil {
				return nil, nil, status.Error(codes.InvalidArgument, "a second spec")
			}
			spec = part.Spec
		case *pb.RunRequest_File:
			h := part.File
			if total += h.Size; left > 0 || h.Size > maxFiles || total > maxFiles {
				return nil, nil, status.Errorf(codes.InvalidArgument, "files are larger than %s", short(maxFiles))
			}
			if !path.IsAbs(h.Path) || path.Clean(h.Path) != h.Path || h.Path == "/" {
				return nil, nil, status.Errorf(codes.InvalidArgument, "%q is not a file's absolute path in the guest", h.Path)
			}
			left = h.Size
			files = append(files, vmm.File{Path: h.Path, Mode: h.Mode & 0o777, ModTime: time.Unix(0, h.MtimeNs)})
		case *pb.RunRequest_Data:
			n := uint64(len(part.Data))
			if n > left || len(files) == 0 {
				return nil, nil, status.Error(codes.InvalidArgument, "more data than the file was to have")
			}
			left -= n
			last := &files[len(files)-1]
			last.Data = append(last.Data, part.Data...)
		}
	}
	if spec == nil || left > 0 {
		return nil, nil, errRunCut
	}
	return spec, files, nil
}
